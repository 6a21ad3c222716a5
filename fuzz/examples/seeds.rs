//! Writes valid inputs into the corpus of each target, for libFuzzer to begin from.

use std::{fs, io, path::Path};

fn main() -> io::Result<()> {
    for target in orp_fuzz::TARGETS {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("corpus")
            .join(target.name);
        fs::create_dir_all(&corpus)?;
        for (number, seed) in (target.seeds)().iter().enumerate() {
            fs::write(corpus.join(format!("seed-{number}")), seed)?;
        }
    }
    Ok(())
}
