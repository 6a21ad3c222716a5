//! `orp admin certs`: a private authority for the nodes of a cluster, for development.

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, bail};
use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

/// Makes `authority.pem`, `cookie`, and for each node `NODE.pem` and `NODE.key`. What is there stays.
///
/// # Errors
/// When a file cannot be written, or a name is none.
pub(super) fn make(folder: &Path, nodes: &[String]) -> anyhow::Result<()> {
    fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let (certificate, key) = (folder.join("authority.pem"), folder.join("authority.key"));
    let issuer = if key.exists() {
        let pair = KeyPair::from_pem(&fs::read_to_string(&key)?)?;
        // Only its name and its key count, and the name is always the same.
        Issuer::new(authority(), pair)
    } else {
        let pair = KeyPair::generate()?;
        let params = authority();
        write(
            &certificate,
            params.self_signed(&pair)?.pem().as_bytes(),
            PUBLIC,
        )?;
        write(&key, pair.serialize_pem().as_bytes(), SECRET)?;
        Issuer::new(params, pair)
    };
    let cookie = folder.join("cookie");
    if !cookie.exists() {
        // A key is as good a secret as any.
        let secret = KeyPair::generate()?.serialize_der();
        let text: String = secret
            .iter()
            .rev()
            .take(32)
            .map(|b| format!("{b:02x}"))
            .collect();
        write(&cookie, format!("{text}\n").as_bytes(), SECRET)?;
    }
    for node in nodes {
        if node.contains(['/', '\\']) || node.starts_with('.') {
            bail!("`{node}` is no name of a node");
        }
        let (certificate, key) = (
            folder.join(format!("{node}.pem")),
            folder.join(format!("{node}.key")),
        );
        if key.exists() {
            println!("{} is there already", key.display());
            continue;
        }
        let pair = KeyPair::generate()?;
        let signed = params(node)?.signed_by(&pair, &issuer)?;
        write(&certificate, signed.pem().as_bytes(), PUBLIC)?;
        write(&key, pair.serialize_pem().as_bytes(), SECRET)?;
        println!("{node}: {} and {}", certificate.display(), key.display());
    }
    println!(
        "all nodes: {} and {}; keep {} to yourself",
        folder.join("authority.pem").display(),
        cookie.display(),
        folder.join("authority.key").display()
    );
    Ok(())
}

fn authority() -> CertificateParams {
    let mut params = CertificateParams::default();
    params
        .distinguished_name
        .push(DnType::CommonName, "OpenRustPoker nodes, development");
    params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    params
}

/// For the one name that all nodes have, whatever their addresses are.
fn params(node: &str) -> anyhow::Result<CertificateParams> {
    let mut params = CertificateParams::new(vec![NODE.to_owned()])?;
    params.distinguished_name.push(DnType::CommonName, node);
    params.extended_key_usages = vec![
        ExtendedKeyUsagePurpose::ServerAuth,
        ExtendedKeyUsagePurpose::ClientAuth,
    ];
    Ok(params)
}

fn write(path: &PathBuf, bytes: &[u8], mode: u32) -> anyhow::Result<()> {
    let mut options = fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(mode).open(path);
    file.and_then(|mut file| file.write_all(bytes))
        .with_context(|| format!("cannot write {}", path.display()))
}

/// As the server's TLS expects it.
const NODE: &str = "orp-node";
const PUBLIC: u32 = 0o644;
const SECRET: u32 = 0o600;
