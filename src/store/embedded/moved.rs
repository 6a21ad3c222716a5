//! A database whose content went to another store: it stays as it is, and is not served by mistake.
//!
//! The mark is a file beside the database, so that the database itself is not touched.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::open::{OpenError, beside};

/// Writes the mark, so that it outlives a power failure.
pub(super) fn mark(database: &Path, to: &str) -> Result<(), OpenError> {
    let mark = mark_path(database);
    let write = || -> io::Result<()> {
        fs::write(&mark, to)?;
        File::open(&mark)?.sync_all()?;
        let folder = mark
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(|source| OpenError::File {
        path: mark.clone(),
        source,
    })
}

/// Refuses a database that has the mark.
pub(super) fn refuse(database: &Path) -> Result<(), OpenError> {
    let mark = mark_path(database);
    match fs::read_to_string(&mark) {
        Ok(to) => Err(OpenError::Moved {
            path: database.to_owned(),
            mark,
            to,
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(source) => Err(OpenError::File { path: mark, source }),
    }
}

fn mark_path(database: &Path) -> PathBuf {
    beside(database, ".moved")
}
