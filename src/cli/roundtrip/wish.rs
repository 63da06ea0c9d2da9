//! Where the scratch databases are made: never in the database that is migrated, and on its server only when asked for.

use super::explain::no_place;
use crate::cli::commands::roundtrip::ScratchArgs;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::explain;
use crate::cli::printer::Report;
use crate::db::scratch::{Place, Wish};
use crate::db::session::ConnectOptions;
use crate::db::url::DatabaseUrl;
use crate::dialect::Dialect;

/// What is wished for, as far as it is known before the files are read.
#[derive(Debug, Clone)]
pub enum Wished {
    /// A server that may hold scratch databases, and whether others use it.
    Server {
        /// The server.
        url: DatabaseUrl,
        /// It is the one of the database that is migrated.
        shared: bool,
    },
    /// A private one of this engine; none where only the files can tell it.
    Private(Option<Dialect>),
}

impl Wished {
    /// The engine, as far as it is told.
    pub fn dialect(&self) -> Dialect {
        match self {
            Wished::Server { url, .. } => url.dialect(),
            Wished::Private(dialect) => dialect.unwrap_or(Dialect::Postgres),
        }
    }

    /// Whether the engine is told.
    pub fn is_told(&self) -> bool {
        !matches!(self, Wished::Private(None))
    }

    /// The same, with the engine that the files tell.
    #[must_use]
    pub fn of(self, dialect: Dialect) -> Self {
        match self {
            Wished::Private(None) => Wished::Private(Some(dialect)),
            told => told,
        }
    }

    /// Whether others use the server.
    pub fn is_shared(&self) -> bool {
        matches!(self, Wished::Server { shared: true, .. })
    }

    /// Opens the place for scratch databases.
    pub async fn open(&self, context: &Context, connect: &ConnectOptions) -> Result<Place, Report> {
        let (mut signal, wish) = (context.signal.clone(), self.wish());
        let opened = tokio::select! {
            biased;
            () = signal.raised() => return Err(explain::interrupted()),
            opened = Place::open(&wish, connect) => opened,
        };
        opened.map_err(|error| no_place(&error))
    }

    /// What is asked of the world.
    pub fn wish(&self) -> Wish {
        match self {
            Wished::Server { url, .. } if url.dialect() != Dialect::Sqlite => Wish::Server(url.clone()),
            told => Wish::Private(told.dialect()),
        }
    }
}

/// What the arguments and settings wish for.
pub fn wish(context: &Context, args: &ScratchArgs, engine: Option<Dialect>) -> Result<Wished, Report> {
    let settings = &context.settings;
    let database = match ["direct_url", "database_url"].into_iter().find_map(|key| settings.optional(key)) {
        Some(text) => DatabaseUrl::parse(text).ok(),
        None => None,
    };
    let told = args.scratch_url.as_deref().or_else(|| settings.optional("scratch_url"));
    if args.scratch_on_same_server {
        return same_server(context, args, engine);
    }
    let Some(text) = told else {
        return Ok(Wished::Private(engine.or(database.map(|url| url.dialect()))));
    };
    let origin = match &args.scratch_url {
        Some(_) => "--scratch-url".to_owned(),
        None => settings.origin("scratch_url").to_string(),
    };
    let url = DatabaseUrl::parse(text).map_err(|error| explain::url(&error, origin))?;
    if engine.is_some_and(|engine| engine != url.dialect()) {
        let what = format!("{url} is no server of the engine that --engine names");
        return Err(Report::new(Exit::Usage, what).state(UNTOUCHED));
    }
    match database {
        Some(database) if url.dialect() != Dialect::Sqlite && is_same_server(&url, &database) => {
            Err(same(&url, &database))
        }
        _ => Ok(Wished::Server { url, shared: false }),
    }
}

/// The state where nothing was begun.
pub(super) const UNTOUCHED: &str = "nothing was judged, nothing changed";

fn same_server(context: &Context, args: &ScratchArgs, engine: Option<Dialect>) -> Result<Wished, Report> {
    if args.scratch_url.is_some() {
        let what = "--scratch-url and --scratch-on-same-server contradict each other";
        return Err(Report::new(Exit::Usage, what).state(UNTOUCHED));
    }
    let url = context.url()?;
    match engine {
        Some(engine) if engine != url.dialect() => {
            let what = format!("{url} is no server of the engine that --engine names");
            Err(Report::new(Exit::Usage, what).state(UNTOUCHED))
        }
        _ => Ok(Wished::Server { url, shared: true }),
    }
}

fn same(url: &DatabaseUrl, database: &DatabaseUrl) -> Report {
    let what = if url.database() == database.database() {
        format!("the scratch server {url} is the database that is migrated")
    } else {
        format!("the scratch server {url} is that of the database that is migrated")
    };
    Report::new(Exit::Usage, what)
        .why("a round trip drops and makes everything again, and may reach beyond one database (roles, settings)")
        .state(UNTOUCHED)
        .help("name another server, or leave --scratch-url out: a private server is started then")
        .help("if that server shall be used, in a database of its own: --scratch-on-same-server")
}

/// Whether two URLs reach the same server, as far as they tell.
fn is_same_server(one: &DatabaseUrl, other: &DatabaseUrl) -> bool {
    one.dialect() == other.dialect() && server(one) == server(other)
}

/// Host and port; the names of this machine are one.
fn server(url: &DatabaseUrl) -> (String, String) {
    let Ok(parsed) = url::Url::parse(url.expose()) else { return (String::new(), String::new()) };
    let of = |names: &[&str]| {
        parsed
            .query_pairs()
            .find(|(name, _)| names.contains(&name.as_ref()))
            .map(|(_, value)| value.into_owned())
    };
    let host = of(&["host", "hostaddr", "socket"]).or_else(|| parsed.host_str().map(str::to_owned));
    let host = match host.unwrap_or_default().to_ascii_lowercase() {
        here if ["", "localhost", "127.0.0.1", "::1", "[::1]"].contains(&here.as_str()) => {
            "localhost".to_owned()
        }
        host => host,
    };
    let usual = match url.dialect() {
        Dialect::Postgres => 5432,
        Dialect::Mysql => 3306,
        Dialect::Sqlite => 0,
    };
    let port = of(&["port"]).unwrap_or_else(|| parsed.port().unwrap_or(usual).to_string());
    (host, port)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_told_apart_by_host_and_port() {
        let same = |one: &str, other: &str| {
            is_same_server(&DatabaseUrl::parse(one).unwrap(), &DatabaseUrl::parse(other).unwrap())
        };
        assert!(same("postgres://a@localhost/x", "postgresql://b:c@127.0.0.1:5432/y"));
        assert!(same("postgres://db/x?port=6000", "postgres://DB:6000/x"));
        assert!(!same("postgres://db:6000/x", "postgres://db/x"));
        assert!(!same("postgres://db/x", "mysql://db/x"));
        assert!(!same("postgres://localhost/x?host=/run/a", "postgres://localhost/x?host=/run/b"));
    }
}
