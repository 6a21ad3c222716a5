//! What `schema.cql` declares, in the words in which Cassandra describes it.

/// A table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) name: String,
    /// The statement that makes it.
    pub(super) cql: String,
    pub(super) columns: Vec<Column>,
    /// Whether its rows go by themselves after a while.
    pub(super) expires: bool,
}

/// A row of `system_schema.columns`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) cql_type: String,
    /// partition_key, clustering, static or regular.
    pub(super) kind: String,
    /// Its place in the key, from 0; −1 outside of it.
    pub(super) position: i32,
    /// asc or desc; none outside of the clustering key.
    pub(super) order: String,
}

impl Table {
    /// What is missing or different in these columns. More columns than declared are no difference, nor are those that are
    /// [lacking](Self::lacks).
    pub(super) fn differs(&self, there: &[Column]) -> Option<String> {
        self.columns.iter().find_map(|wanted| {
            match there.iter().find(|column| column.name == wanted.name) {
                None if self.added(wanted) => None,
                None => Some(format!("it has no column {}", wanted.name)),
                Some(found) if found == wanted => None,
                Some(found) => Some(format!(
                    "{} is {}, not {}",
                    wanted.name,
                    words(found),
                    words(wanted)
                )),
            }
        })
    }
}

impl Table {
    /// Columns that a later release added, and that are not there: servers go on without them.
    pub(super) fn lacks(&self, there: &[Column]) -> Vec<&Column> {
        let missing = |wanted: &&Column| there.iter().all(|column| column.name != wanted.name);
        let added = self.columns.iter().filter(|column| self.added(column));
        added.filter(missing).collect()
    }

    fn added(&self, column: &Column) -> bool {
        ADDED.contains(&(self.name.as_str(), column.name.as_str()))
    }
}

fn words(column: &Column) -> String {
    let Column {
        cql_type,
        kind,
        position,
        order,
        ..
    } = column;
    format!("{cql_type} {kind} {position} {order}")
}

/// All tables.
pub(super) fn tables() -> Vec<Table> {
    let text: String = SCHEMA
        .lines()
        .map(|line| line.split("--").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n");
    let statements = text.split(';').map(str::trim);
    statements
        .filter(|cql| !cql.is_empty())
        .map(|cql| table(cql).expect("a test reads schema.cql"))
        .collect()
}

/// Reads a statement of the one form that schema.cql has: a column a line, the whole key in the last.
fn table(cql: &str) -> Option<Table> {
    let rest = cql.strip_prefix("CREATE TABLE ")?;
    let (name, rest) = rest.split_once(" (\n")?;
    let (body, end) = rest.split_once("\n)")?;
    let (columns, key) = body.split_once("PRIMARY KEY (")?;
    let key = key.trim().strip_suffix(')')?;
    // Without inner brackets the partition is the first column alone.
    let (partition, clustering) = match key.strip_prefix('(') {
        Some(key) => key.split_once(')')?,
        None => key.split_once(',').unwrap_or((key, "")),
    };
    let (partition, clustering) = (names(partition), names(clustering));
    let columns = columns
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let columns = columns.map(|line| {
        let mut words = line.trim_end_matches(',').split_whitespace();
        let (name, cql_type) = (words.next()?, words.next()?);
        let place = |names: &[&str]| names.iter().position(|named| *named == name);
        let (kind, position) = match (place(&partition), place(&clustering), words.next()) {
            (Some(place), _, _) => ("partition_key", i32::try_from(place).ok()?),
            (None, Some(place), _) => ("clustering", i32::try_from(place).ok()?),
            (None, None, Some("static")) => ("static", -1),
            (None, None, Some(_)) => return None,
            (None, None, None) => ("regular", -1),
        };
        let order = match kind {
            "clustering" if end.contains(&format!("{name} DESC")) => "desc",
            "clustering" => "asc",
            _ => "none",
        };
        Some(Column {
            name: name.to_owned(),
            cql_type: cql_type.to_owned(),
            kind: kind.to_owned(),
            position,
            order: order.to_owned(),
        })
    });
    Some(Table {
        name: name.to_owned(),
        cql: cql.to_owned(),
        columns: columns.collect::<Option<_>>()?,
        expires: end.contains("default_time_to_live"),
    })
}

fn names(list: &str) -> Vec<&str> {
    list.split(',')
        .map(str::trim)
        .filter(|name| !name.is_empty())
        .collect()
}

/// Columns that were not in the first release. A keyspace without them is served; `orp admin schema create` adds them. An
/// earlier release beside them goes on: it names the columns that it reads and writes.
const ADDED: [(&str, &str); 1] = [("nodes", "reads")];

const SCHEMA: &str = include_str!("../schema.cql");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_reads() {
        let tables = tables();
        let named: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        assert_eq!(
            named,
            [
                "cluster",
                "shards",
                "shard_log",
                "hands",
                "hands_of_players",
                "buckets_of_tables",
                "buckets_of_players",
                "sessions",
                "nodes"
            ]
        );
        let told = |table: &Table| -> Vec<String> {
            let column = |column: &Column| format!("{} {}", column.name, words(column));
            table.columns.iter().map(column).collect()
        };
        assert_eq!(told(&tables[0])[0], "one int partition_key 0 none");
        assert_eq!(
            told(&tables[2]),
            [
                "shard int partition_key 0 none",
                "epoch bigint partition_key 1 none",
                "k bigint partition_key 2 none",
                "n bigint clustering 0 asc",
                "writer blob static -1 none",
                "next_n bigint static -1 none",
                "last_hash blob static -1 none",
                "sealed_by blob static -1 none",
                "next_epoch bigint static -1 none",
                "next_k bigint static -1 none",
                "crc bigint regular -1 none",
                "payload blob regular -1 none"
            ]
        );
        assert_eq!(told(&tables[4])[4], "hand_no bigint clustering 2 desc");
        assert_eq!(told(&tables[8])[2], "incarnation bigint clustering 1 asc");
        let expire: Vec<&str> = tables
            .iter()
            .filter(|table| table.expires)
            .map(|table| table.name.as_str())
            .collect();
        assert_eq!(expire, ["nodes"]);
    }

    #[test]
    fn what_a_release_added_is_lacking_and_no_difference() {
        let nodes = tables().swap_remove(8);
        assert_eq!(nodes.lacks(&nodes.columns), [] as [&Column; 0]);
        let (added, first): (Vec<Column>, Vec<Column>) = nodes
            .columns
            .iter()
            .cloned()
            .partition(|column| column.name == "reads");
        assert_eq!(added[0].cql_type, "bigint");
        assert_eq!(nodes.differs(&first), None);
        assert_eq!(nodes.lacks(&first), [&added[0]]);
        let mut other = nodes.columns.clone();
        other.last_mut().expect("some").cql_type = "text".into();
        assert!(nodes.differs(&other).is_some(), "it is there, and another");
        for (table, column) in ADDED {
            let table = tables().into_iter().find(|found| found.name == table);
            let table = table.expect("a table that is declared");
            assert!(table.columns.iter().any(|found| found.name == column));
        }
    }

    #[test]
    fn a_difference_is_named() {
        let table = tables().swap_remove(1);
        assert_eq!(table.differs(&table.columns), None);
        let mut more = table.columns.clone();
        more.push(Column {
            name: "later".into(),
            ..more[1].clone()
        });
        assert_eq!(table.differs(&more), None);
        let fewer = &table.columns[..6];
        assert_eq!(
            table.differs(fewer).as_deref(),
            Some("it has no column low_k")
        );
        let mut other = table.columns.clone();
        other[1].cql_type = "int".into();
        assert_eq!(
            table.differs(&other).as_deref(),
            Some("epoch is int regular -1 none, not bigint regular -1 none")
        );
    }
}
