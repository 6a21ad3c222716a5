//! Generates the wire types without protoc: protox compiles the files.

fn main() -> Result<(), Box<dyn std::error::Error>> {
    const FILES: [&str; 6] = [
        "poker/v1/session.proto",
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
    tonic_prost_build::configure().compile_fds(descriptors)?;
    Ok(())
}
