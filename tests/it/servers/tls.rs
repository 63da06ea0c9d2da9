//! PostgreSQL that demands TLS, as hosted databases do, with a certificate of a private authority.

use std::path::PathBuf;
use std::sync::OnceLock;

use super::certificates::{Certificates, certificates};
use super::postgres::{Postgres, Recipe};
use super::required;

/// What the server shows of itself. Clients reach it as `localhost` and `127.0.0.1`.
#[derive(Clone, Copy)]
pub enum Certificate {
    /// For the names by which it is reached, and valid.
    Right,
    /// Valid, for another host.
    OtherHost,
    /// For the right names, and not valid any more.
    Expired,
}

/// A server that refuses connections without TLS.
pub struct TlsPostgres {
    /// The server.
    pub server: Postgres,
}

/// The shared server with this certificate.
pub fn postgres_with_tls(certificate: Certificate) -> Option<&'static TlsPostgres> {
    static SERVERS: [OnceLock<Option<TlsPostgres>>; 3] = [const { OnceLock::new() }; 3];
    let server = SERVERS[certificate as usize].get_or_init(|| TlsPostgres::start(certificate));
    required("PostgreSQL", server.as_ref())
}

impl TlsPostgres {
    fn start(certificate: Certificate) -> Option<TlsPostgres> {
        let here: &[&str] = &["localhost", "127.0.0.1"];
        let shown = match certificate {
            Certificate::Right => certificates(here, 2099),
            Certificate::OtherHost => certificates(&["db.example.org"], 2099),
            Certificate::Expired => certificates(here, 2020),
        };
        let Certificates { authority, certificate, key } = shown;
        let stranger = certificates(here, 2099).authority;
        let settings = "ssl = on\nssl_cert_file = '../server.crt'\nssl_key_file = '../server.key'\n";
        let recipe = Recipe {
            settings: settings.to_owned(),
            access: "hostssl all all all scram-sha-256\n".to_owned(),
            files: vec![
                ("server.crt", certificate, 0o644),
                ("server.key", key, 0o600),
                ("authority.crt", authority, 0o644),
                ("stranger.crt", stranger, 0o644),
            ],
            ..Recipe::default()
        };
        Some(TlsPostgres { server: Postgres::start_as(&recipe)? })
    }

    /// The certificate (PEM) of the authority that signed the server's: `sslrootcert`.
    pub fn authority_file(&self) -> PathBuf {
        self.server.folder().join("authority.crt")
    }

    /// The certificate of an authority of the same name that did not sign it.
    pub fn stranger_file(&self) -> PathBuf {
        self.server.folder().join("stranger.crt")
    }
}
