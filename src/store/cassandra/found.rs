//! A row as it came: columns by name. The answer of a conditional statement has other columns when it was applied than when
//! it was not, so nothing is read by position.

use bytes::Bytes;
use scylla::response::query_result::QueryRowsResult;
use scylla::value::{CqlValue, Row};

use crate::store::{Answer, Cause, Statement, StoreError};

/// A row.
pub(super) struct Found {
    statement: Statement,
    columns: Vec<(String, Option<CqlValue>)>,
}

impl Found {
    /// All rows of a result.
    pub(super) fn all(statement: Statement, result: &QueryRowsResult) -> Result<Vec<Self>, Cause> {
        let names: Vec<&str> = result
            .column_specs()
            .iter()
            .map(|spec| spec.name())
            .collect();
        let rows = result.rows::<Row>()?;
        rows.map(|row| {
            let named = names.iter().map(|name| (*name).to_owned());
            Ok(Self {
                statement,
                columns: named.zip(row?.columns).collect(),
            })
        })
        .collect()
    }

    /// Whether a conditional statement was applied; `None` if this is not the answer of one.
    pub(super) fn applied(&self) -> Option<bool> {
        match self.value("[applied]") {
            Some(CqlValue::Boolean(applied)) => Some(*applied),
            Some(_) | None => None,
        }
    }

    /// Whether it says nothing but "not applied": there is no such partition.
    pub(super) fn is_bare(&self) -> bool {
        self.columns
            .iter()
            .all(|(name, value)| name == "[applied]" || value.is_none())
    }

    /// Whether a column holds nothing.
    pub(super) fn is_null(&self, name: &str) -> bool {
        self.value(name).is_none()
    }

    /// A number that is never below zero.
    pub(super) fn number(&self, name: &str) -> Answer<u64> {
        let number = match self.value(name) {
            Some(CqlValue::BigInt(number)) => u64::try_from(*number).ok(),
            Some(CqlValue::Int(number)) => u64::try_from(*number).ok(),
            Some(_) | None => None,
        };
        number.ok_or_else(|| self.strange(name, "no number from 0 on"))
    }

    /// A number that fits a smaller type.
    pub(super) fn small<T: TryFrom<u64>>(&self, name: &str) -> Answer<T> {
        let number = self.number(name)?;
        T::try_from(number).map_err(|_too_large| self.strange(name, "a number that is too large"))
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Answer<String> {
        match self.value(name) {
            Some(CqlValue::Text(text)) => Ok(text.clone()),
            Some(_) | None => Err(self.strange(name, "no text")),
        }
    }

    /// Exactly so many bytes.
    pub(super) fn array<const N: usize>(&self, name: &str) -> Answer<[u8; N]> {
        match self.value(name) {
            Some(CqlValue::Blob(bytes)) => <[u8; N]>::try_from(&bytes[..]).ok(),
            Some(_) | None => None,
        }
        .ok_or_else(|| self.strange(name, "not as many bytes as it has"))
    }

    /// Bytes, taken out of the row.
    pub(super) fn take_bytes(&mut self, name: &str) -> Answer<Bytes> {
        let column = self.columns.iter_mut().find(|(column, _)| column == name);
        match column.and_then(|(_, value)| value.take()) {
            Some(CqlValue::Blob(bytes)) => Ok(Bytes::from(bytes)),
            // An empty blob is a value, and so is not null.
            Some(CqlValue::Empty) => Ok(Bytes::new()),
            Some(_) | None => Err(self.strange(name, "no bytes")),
        }
    }

    /// What to say of a column that holds what nobody wrote.
    pub(super) fn strange(&self, name: &str, what: &str) -> StoreError {
        StoreError::Corrupt {
            statement: self.statement,
            finding: format!(
                "column {name} holds {what}: something else wrote to this keyspace; stop it, and restore from a backup"
            ),
        }
    }

    fn value(&self, name: &str) -> Option<&CqlValue> {
        self.columns
            .iter()
            .find(|(column, _)| column == name)
            .and_then(|(_, value)| value.as_ref())
    }
}

/// A number for a column: Cassandra's are signed.
pub(super) fn bigint(statement: Statement, number: u64) -> Answer<i64> {
    i64::try_from(number).map_err(|_too_large| StoreError::Corrupt {
        statement,
        finding: format!("{number} is beyond what a column holds: nobody counts that far"),
    })
}

/// A bound for a read: nothing stored lies above.
pub(super) fn clamped(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
