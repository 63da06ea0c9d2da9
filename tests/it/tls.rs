//! Connections to a PostgreSQL that demands TLS, as hosted ones do, with a certificate of a private authority.

use std::path::Path;

use crate::complaint::complaint;
use crate::servers::{self, Certificate};
use crate::twostep::{Outcome, Project};

/// `migrate` with these options in the URL. `OURS` stands for the authority's file, `STRANGER` for another one's.
fn migrate(certificate: Certificate, options: &str) -> Option<Outcome> {
    let server = servers::postgres_with_tls(certificate)?;
    let shown = |path: &Path| path.to_str().unwrap().to_owned();
    let options = options.replace("OURS", &shown(&server.authority_file()));
    let options = options.replace("STRANGER", &shown(&server.stranger_file()));
    let database = server.server.fresh_database();
    let project = Project::with_migrations(&[(
        "1_a.up.sql",
        "create table a as select ssl from pg_stat_ssl where pid = pg_backend_pid();",
    )]);
    let outcome = project.on(&format!("{}?{options}", database.url()), &["migrate"]).run();
    if outcome.code() == 0 {
        assert_eq!(database.psql("select ssl from a"), "t", "{options}");
    } else {
        assert_eq!(database.psql("select to_regclass('a')"), "", "{options}");
    }
    Some(outcome)
}

fn works(certificate: Certificate, options: &str) {
    if let Some(outcome) = migrate(certificate, options) {
        outcome.expect(0);
    }
}

/// Refused with all of `words`.
fn refused(certificate: Certificate, options: &str, code: i32, words: &[&str]) {
    let Some(outcome) = migrate(certificate, options) else { return };
    let outcome = outcome.expect(code);
    let state = complaint(&outcome);
    assert!(state.contains("nothing changed"), "{state}");
    for word in words {
        assert!(outcome.stderr.contains(word), "{options}: `{word}` is not in\n{}", outcome.stderr);
    }
}

#[test]
fn the_right_certificate() {
    works(Certificate::Right, "");
    works(Certificate::Right, "sslmode=prefer");
    works(Certificate::Right, "sslmode=require");
    works(Certificate::Right, "sslmode=verify-ca&sslrootcert=OURS");
    works(Certificate::Right, "sslmode=verify-full&sslrootcert=OURS");
    // The server takes nobody without.
    refused(Certificate::Right, "sslmode=disable", 9, &["no encryption", "sslmode=require"]);
}

#[test]
fn an_authority_that_did_not_sign_it() {
    for mode in ["verify-ca", "verify-full"] {
        let stranger = format!("sslmode={mode}&sslrootcert=STRANGER");
        refused(Certificate::Right, &stranger, 9, &["no TLS connection", "signed by", "sslrootcert"]);
        // None of those that the machine trusts.
        refused(Certificate::Right, &format!("sslmode={mode}"), 9, &["no TLS connection", "signed by"]);
    }
}

#[test]
fn another_host() {
    refused(
        Certificate::OtherHost,
        "sslmode=verify-full&sslrootcert=OURS",
        9,
        &["no TLS connection", "not for this host", "127.0.0.1", "db.example.org"],
    );
    works(Certificate::OtherHost, "sslmode=verify-ca&sslrootcert=OURS");
    works(Certificate::OtherHost, "sslmode=require");
}

#[test]
fn one_that_has_expired() {
    for mode in ["verify-ca", "verify-full"] {
        let options = format!("sslmode={mode}&sslrootcert=OURS");
        refused(Certificate::Expired, &options, 9, &["no TLS connection", "expired"]);
    }
    works(Certificate::Expired, "sslmode=require");
}

#[test]
fn options_that_are_wrong() {
    refused(Certificate::Right, "sslmode=always", 2, &["always", "verify-full"]);
    refused(Certificate::Right, "sslmod=verify-full", 2, &["sslmod", "did you mean `sslmode`?"]);
    refused(Certificate::Right, "sslmode=verify-full&sslrootcert=/no/such/file", 2, &["/no/such/file"]);
}
