//! A private certificate authority, and what it signs for a server.

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, date_time_ymd,
};

/// PEM texts, as a server and its clients read them.
pub struct Certificates {
    pub authority: String,
    pub certificate: String,
    pub key: String,
}

/// Makes a new authority, and a certificate of it for `names` that is valid until the first day of `last_year`.
pub fn certificates(names: &[&str], last_year: i32) -> Certificates {
    let mut authority = params(&[], "private authority of the tests", 2100);
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let authority_key = KeyPair::generate().expect("a key");
    let signed = authority.self_signed(&authority_key).expect("a certificate");

    let key = KeyPair::generate().expect("a key");
    let issuer = Issuer::new(authority, authority_key);
    let certificate =
        params(names, "server of the tests", last_year).signed_by(&key, &issuer).expect("a certificate");
    Certificates { authority: signed.pem(), certificate: certificate.pem(), key: key.serialize_pem() }
}

fn params(names: &[&str], common_name: &str, last_year: i32) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("plain names");
    params.distinguished_name.push(DnType::CommonName, common_name);
    params.not_before = date_time_ymd(2000, 1, 1);
    params.not_after = date_time_ymd(last_year, 1, 1);
    params
}
