//! Generates the wire types without protoc: protox compiles the files.
//!
//! Besides them it writes `Rpc`, an enum of all calls, so that a table of what each call needs (who may call it) is an
//! exhaustive `match`: a call that is missing there does not build.

use std::fmt::Write as _;

use prost_types::FileDescriptorSet;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const FILES: [&str; 7] = [
        "poker/v1/session.proto",
        "poker/v1/rules.proto",
        "poker/v1/game.proto",
        "poker/v1/table.proto",
        "poker/v1/watch.proto",
        "poker/v1/hand.proto",
        "poker/v1/admin.proto",
    ];
    for file in FILES {
        println!("cargo:rerun-if-changed={file}");
    }
    let descriptors = protox::compile(FILES, ["."])?;
    let out = std::path::PathBuf::from(std::env::var("OUT_DIR")?);
    std::fs::write(
        out.join("descriptors.bin"),
        prost::Message::encode_to_vec(&descriptors),
    )?;
    std::fs::write(out.join("rpc.rs"), rpcs(&descriptors)?)?;
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}

/// The source of `Rpc`. Method names are unique in the package: buf's STANDARD rules name requests after them.
fn rpcs(descriptors: &FileDescriptorSet) -> Result<String, std::fmt::Error> {
    let mut rpcs = Vec::new();
    for file in &descriptors.file {
        for service in &file.service {
            for method in &service.method {
                let path = format!("/{}.{}/{}", file.package(), service.name(), method.name());
                rpcs.push((method.name(), path));
            }
        }
    }
    let mut source = String::new();
    writeln!(source, "/// Every call of the package.")?;
    writeln!(
        source,
        "#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]\npub enum Rpc {{"
    )?;
    for (name, path) in &rpcs {
        writeln!(source, "    /// `{path}`\n    {name},")?;
    }
    writeln!(
        source,
        "}}\n\nimpl Rpc {{\n    /// All calls.\n    pub const ALL: &'static [Rpc] = &["
    )?;
    for (name, _) in &rpcs {
        writeln!(source, "        Rpc::{name},")?;
    }
    writeln!(
        source,
        "    ];\n\n    /// The call with this HTTP path.\n    pub fn of_path(path: &str) -> Option<Rpc> {{\n        match path {{"
    )?;
    for (name, path) in &rpcs {
        writeln!(source, "            \"{path}\" => Some(Rpc::{name}),")?;
    }
    writeln!(
        source,
        "            _ => None,\n        }}\n    }}\n\n    /// Its HTTP path.\n    pub const fn path(self) -> &'static str {{\n        match self {{"
    )?;
    for (name, path) in &rpcs {
        writeln!(source, "            Rpc::{name} => \"{path}\",")?;
    }
    writeln!(source, "        }}\n    }}\n}}")?;
    Ok(source)
}
