//! Which statement a text is. The words are those of the store's modules; a run in which a kind never appears fails.

/// The statements that faults tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Append,
    Seal,
    CreateSegment,
    WinEpoch,
    SetTail,
    AdvanceLow,
    OtherConditional,
    PlainWrite,
    Read,
    /// Not the server's: the driver's own business, definitions of tables.
    Other,
}

impl Kind {
    pub fn of(text: &str) -> Self {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let words = words.to_ascii_lowercase();
        let begins = |beginning: &str| words.starts_with(beginning);
        if begins("select") && !words.contains(" system") {
            return Self::Read;
        }
        if !["insert", "update", "delete"].into_iter().any(begins) {
            return Self::Other;
        }
        if !words.contains(" if ") {
            return Self::PlainWrite;
        }
        for (beginning, kind) in [
            ("update shard_log set next_n", Self::Append),
            ("update shard_log set sealed_by", Self::Seal),
            ("insert into shard_log ", Self::CreateSegment),
            ("insert into shards ", Self::WinEpoch),
            ("update shards set epoch", Self::WinEpoch),
            ("update shards set tail", Self::SetTail),
            ("update shards set low", Self::AdvanceLow),
        ] {
            if begins(beginning) {
                return kind;
            }
        }
        Self::OtherConditional
    }

    /// A lightweight transaction.
    pub fn is_conditional(self) -> bool {
        match self {
            Self::Append
            | Self::Seal
            | Self::CreateSegment
            | Self::WinEpoch
            | Self::SetTail
            | Self::AdvanceLow
            | Self::OtherConditional => true,
            Self::PlainWrite | Self::Read | Self::Other => false,
        }
    }
}
