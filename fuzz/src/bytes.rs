//! Numbers out of the fuzzer's bytes. When they are used up everything is 0.

/// What is left of them.
pub struct Bytes<'a>(pub &'a [u8]);

impl Bytes<'_> {
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn byte(&mut self) -> u8 {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        *first
    }

    /// Below `end`, which is not 0.
    pub fn below(&mut self, end: u8) -> u8 {
        self.byte() % end
    }

    /// Mostly small, sometimes where integers end.
    pub fn amount(&mut self) -> u64 {
        let number = u64::from(self.byte());
        match self.byte() {
            0..=99 => number,
            100..=199 => number * 16,
            200..=229 => number << 12,
            230..=245 => (1 << 46) - number,
            246..=250 => u64::from(u32::MAX) + number,
            251..=255 => u64::MAX - number,
        }
    }
}
