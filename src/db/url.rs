//! Database URLs: what they name, and how they are shown without their password.

use crate::dialect::Dialect;
use std::fmt;

/// A URL of a database, checked for what every engine needs.
#[derive(Clone)]
pub struct DatabaseUrl {
    raw: String,
    dialect: Dialect,
    database: String,
}

/// Why a text is no database URL. Never holds the text itself, which may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// There is no `scheme:`.
    #[error("it has no scheme, such as `postgres:`")]
    NoScheme,
    /// It stands in quotation marks, which a file of variables or a shell has kept.
    #[error("it begins with a quotation mark, which is no part of a URL")]
    Quoted,
    /// No engine speaks this scheme.
    #[error("it has the unknown scheme `{0}`; known are {known}", known = known_schemes())]
    UnknownScheme(String),
    /// It cannot be taken apart.
    #[error("it is malformed: {0}")]
    Malformed(String),
    /// A parameter of the connection's security that the driver would leave out in silence.
    #[error("it has the unknown parameter `{name}`{hint}")]
    UnknownParameter {
        /// Its name.
        name: String,
        /// The nearest known one.
        hint: String,
    },
    /// It names no database.
    #[error("it names no database; it ends with `/NAME`")]
    NoDatabase,
}

/// The parameters that sqlx's drivers read.
fn known_parameters(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Postgres => &[
            "sslmode",
            "ssl-mode",
            "sslrootcert",
            "ssl-root-cert",
            "ssl-ca",
            "sslcert",
            "ssl-cert",
            "sslkey",
            "ssl-key",
            "statement-cache-capacity",
            "host",
            "hostaddr",
            "port",
            "dbname",
            "user",
            "password",
            "application_name",
            "options",
        ],
        Dialect::Mysql => &[
            "sslmode",
            "ssl-mode",
            "sslca",
            "ssl-ca",
            "sslcert",
            "ssl-cert",
            "sslkey",
            "ssl-key",
            "charset",
            "collation",
            "statement-cache-capacity",
            "socket",
            "timezone",
            "time-zone",
        ],
        Dialect::Sqlite => &[],
    }
}

fn known_schemes() -> String {
    super::ENGINES.iter().flat_map(|engine| engine.schemes()).copied().collect::<Vec<_>>().join(", ")
}

impl DatabaseUrl {
    /// Takes `text` apart.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let text = text.trim();
        if text.starts_with(['"', '\'', '`']) {
            return Err(UrlError::Quoted);
        }
        let (scheme, rest) = text.split_once(':').ok_or(UrlError::NoScheme)?;
        if scheme.is_empty()
            || !scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            return Err(UrlError::NoScheme);
        }
        let scheme = scheme.to_ascii_lowercase();
        let engine = super::ENGINES
            .iter()
            .find(|engine| engine.schemes().contains(&scheme.as_str()))
            .ok_or(UrlError::UnknownScheme(scheme))?;
        let dialect = engine.dialect();
        let database = match dialect {
            Dialect::Sqlite => sqlite_path(rest)?,
            Dialect::Postgres | Dialect::Mysql => server_database(text)?,
        };
        let url = Self { raw: text.to_owned(), dialect, database };
        let is_security = |name: &&String| {
            let name = name.to_ascii_lowercase();
            name.contains("ssl") || name.contains("tls")
        };
        match url.unknown_parameters().iter().find(is_security) {
            None => Ok(url),
            Some(name) => {
                let hint = crate::text::nearest(name, known_parameters(dialect).iter().copied())
                    .map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
                Err(UrlError::UnknownParameter { name: name.clone(), hint })
            }
        }
    }

    /// The names of its parameters that nothing reads. SQLite's driver refuses them itself.
    pub fn unknown_parameters(&self) -> Vec<String> {
        let Ok(url) = url::Url::parse(&self.raw) else { return Vec::new() };
        if self.dialect == Dialect::Sqlite {
            return Vec::new();
        }
        let known = known_parameters(self.dialect);
        let is_known = |name: &str| known.contains(&name) || name.starts_with("options[");
        url.query_pairs().map(|(name, _)| name.into_owned()).filter(|name| !is_known(name)).collect()
    }

    /// The URL itself, with its password: for the driver only.
    pub fn expose(&self) -> &str {
        &self.raw
    }

    /// The dialect of its engine.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The name of the database; for SQLite the path of its file.
    pub fn database(&self) -> &str {
        &self.database
    }

    /// Whether it is SQLite's database in memory, which ends with the connection.
    pub fn is_memory(&self) -> bool {
        self.dialect == Dialect::Sqlite && (self.database.is_empty() || self.database == ":memory:")
    }

    /// Its parameters that name files, with the files: certificates and keys that are not given in the URL itself.
    pub fn named_files(&self) -> Vec<(String, String)> {
        const KEYS: &[&str] =
            &["sslrootcert", "ssl-root-cert", "sslca", "ssl-ca", "sslcert", "ssl-cert", "sslkey", "ssl-key"];
        let Ok(url) = url::Url::parse(&self.raw) else { return Vec::new() };
        let is_file = |name: &str, value: &str| KEYS.contains(&name) && !value.starts_with("-----BEGIN");
        url.query_pairs()
            .filter(|(name, value)| self.dialect != Dialect::Sqlite && is_file(name, value))
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect()
    }

    /// Whether it says itself that nothing is to be written to the file.
    pub fn is_read_only(&self) -> bool {
        let parameters = self.raw.split_once('?').map_or("", |(_, parameters)| parameters);
        let says_so = |(key, value): (_, _)| {
            (key == "mode" && value == "ro") || (key == "immutable" && value == "true")
        };
        self.is_file() && url::form_urlencoded::parse(parameters.as_bytes()).any(says_so)
    }

    /// Whether it is a file that is not there yet.
    pub fn is_missing_file(&self) -> bool {
        self.dialect == Dialect::Sqlite && !self.is_memory() && !std::path::Path::new(&self.database).exists()
    }

    /// Whether the database is a file (or memory) of this process, and no server's.
    pub fn is_file(&self) -> bool {
        self.dialect == Dialect::Sqlite
    }

    /// The same server and rights, with another database.
    pub fn with_database(&self, database: &str) -> Self {
        if self.dialect == Dialect::Sqlite {
            return Self {
                raw: format!("sqlite:{database}"),
                dialect: self.dialect,
                database: database.to_owned(),
            };
        }
        let mut url = url::Url::parse(&self.raw).expect("it was parsed before");
        let pairs: Vec<(String, String)> = url
            .query_pairs()
            .filter(|(key, _)| key != "dbname")
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        url.set_path(database);
        url.set_query(None);
        if !pairs.is_empty() {
            url.query_pairs_mut().extend_pairs(pairs);
        }
        Self { raw: url.into(), dialect: self.dialect, database: database.to_owned() }
    }

    /// The password in it, decoded, so that it can be looked for in texts that must not hold it.
    pub fn password(&self) -> Option<String> {
        if self.dialect == Dialect::Sqlite {
            return None;
        }
        let url = url::Url::parse(&self.raw).ok()?;
        let in_query =
            url.query_pairs().find(|(key, _)| key == "password").map(|(_, value)| value.into_owned());
        in_query.or_else(|| url.password().map(decode)).filter(|password| !password.is_empty())
    }

    /// `message` without the password of this URL.
    pub fn redact(&self, message: &str) -> String {
        let mut shown = message.replace(&self.raw, &self.to_string());
        if let Some(password) = self.password() {
            shown = hide(&shown, &password);
            if let Some(encoded) =
                url::Url::parse(&self.raw).ok().and_then(|url| url.password().map(str::to_owned))
            {
                shown = hide(&shown, &encoded);
            }
        }
        shown
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dialect == Dialect::Sqlite {
            return f.write_str(&self.raw);
        }
        let Ok(mut url) = url::Url::parse(&self.raw) else { return f.write_str("(malformed URL)") };
        if url.password().is_some() {
            // Cannot fail: a URL with a password has a host.
            let _ = url.set_password(Some("***"));
        }
        let pairs: Vec<(String, String)> = url
            .query_pairs()
            .map(|(key, value)| {
                let secret = key.contains("password") || key == "sslkey";
                (key.into_owned(), if secret { "***".to_owned() } else { value.into_owned() })
            })
            .collect();
        if pairs.iter().any(|(_, value)| value == "***") {
            url.query_pairs_mut().clear().extend_pairs(pairs);
        }
        f.write_str(url.as_str())
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DatabaseUrl({self})")
    }
}

/// `text` without `secret`. A short one is hidden where it stands alone: within other words it is none, and to hide it there
/// would tell it.
fn hide(text: &str, secret: &str) -> String {
    const SHORT: usize = 6;
    if secret.len() >= SHORT {
        return text.replace(secret, "***");
    }
    let mut hidden = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(secret) {
        let (before, from) = rest.split_at(at);
        let behind = &from[secret.len()..];
        let front = hidden.chars().chain(before.chars()).next_back();
        let is_alone = ![front, behind.chars().next()].into_iter().flatten().any(char::is_alphanumeric);
        hidden.push_str(before);
        hidden.push_str(if is_alone { "***" } else { secret });
        rest = behind;
    }
    hidden.push_str(rest);
    hidden
}

/// A host as the system looks for it: an address of IPv6 stands in brackets only within a URL.
pub(super) fn plain_host(host: &str) -> Option<&str> {
    host.strip_prefix('[')?.strip_suffix(']')
}

fn decode(text: &str) -> String {
    url::form_urlencoded::parse(format!("x={}", text.replace('+', "%2B")).as_bytes())
        .next()
        .map(|(_, value)| value.into_owned())
        .unwrap_or_default()
}

fn server_database(text: &str) -> Result<String, UrlError> {
    let url = url::Url::parse(text).map_err(|error| UrlError::Malformed(error.to_string()))?;
    let in_query = url.query_pairs().find(|(key, _)| key == "dbname").map(|(_, value)| value.into_owned());
    let database = in_query.unwrap_or_else(|| decode(url.path().trim_start_matches('/')));
    if database.is_empty() { Err(UrlError::NoDatabase) } else { Ok(database) }
}

/// `sqlite:path`, `sqlite://path`, `sqlite:///absolute/path`, `sqlite::memory:`, each with `?options`.
fn sqlite_path(rest: &str) -> Result<String, UrlError> {
    let path = rest.strip_prefix("//").unwrap_or(rest);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    if path.is_empty() { Err(UrlError::NoDatabase) } else { Ok(decode(path)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, database: &str, shown: &str) {
        let url = DatabaseUrl::parse(text).expect("a valid URL");
        assert_eq!(url.database(), database);
        assert_eq!(url.to_string(), shown);
    }

    #[test]
    fn names_its_database_and_hides_its_password() {
        check("postgres://me:s%40cret@db:5433/shop", "shop", "postgres://me:***@db:5433/shop");
        check("postgresql://db/shop?user=me&password=x", "shop", "postgresql://db/shop?user=me&password=***");
        check("sqlite:shop.db", "shop.db", "sqlite:shop.db");
        check("sqlite:///var/lib/shop.db?mode=rwc", "/var/lib/shop.db", "sqlite:///var/lib/shop.db?mode=rwc");
        check("sqlite::memory:", ":memory:", "sqlite::memory:");
    }

    #[test]
    fn says_what_is_wrong_without_showing_it() {
        let wrong = |text: &str| DatabaseUrl::parse(text).expect_err("an invalid URL").to_string();
        assert!(wrong("shop").contains("no scheme"));
        assert!(wrong("'postgres://host/x'").contains("quotation mark"));
        assert_eq!(plain_host("[::1]"), Some("::1"));
        assert_eq!(plain_host("db"), None);
        assert!(wrong("oracle://x/y").contains("unknown scheme `oracle`"));
        assert!(wrong("postgres://host").contains("names no database"));
        let malformed = wrong("postgres://me:se/cr:et@host:99999/x");
        assert!(malformed.contains("malformed") && !malformed.contains("cr:et"), "{malformed}");
    }

    #[test]
    fn parameters_that_nothing_reads() {
        let url =
            DatabaseUrl::parse("postgres://db/shop?schema=public&sslmode=require&options[a]=b").unwrap();
        assert_eq!(url.unknown_parameters(), ["schema"]);
        let wrong = DatabaseUrl::parse("postgres://db/shop?sslmod=require").unwrap_err().to_string();
        assert!(wrong.contains("did you mean `sslmode`?"), "{wrong}");
        assert!(DatabaseUrl::parse("mysql://db/shop?useSSL=true").is_err());
        assert!(DatabaseUrl::parse("sqlite:shop.db?mode=rwc").is_ok());
    }

    #[test]
    fn redacts_messages_from_below() {
        let url = DatabaseUrl::parse("postgres://me:s%40cret@db/shop").expect("a valid URL");
        assert_eq!(url.redact("cannot use s@cret or s%40cret"), "cannot use *** or ***");
        let short = DatabaseUrl::parse("postgres://me:x@db/shop").expect("a valid URL");
        assert_eq!(short.redact("no extension for x, 'x' or ax"), "no extension for ***, '***' or ax");
        assert_eq!(url.with_database("other").expose(), "postgres://me:s%40cret@db/other");
    }
}
