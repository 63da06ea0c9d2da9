//! The scratch databases on which migrations are tried.

use super::apply::{Applier, ApplyError};
use super::fill;
use super::rows::{self, Rows};
use super::run::{Options, RoundtripError};
use crate::db;
use crate::db::scratch::Place;
use crate::db::session::{DatabaseSettings, LockKey};
use crate::db::url::DatabaseUrl;
use crate::dialect::Dialect;
use crate::name::Name;
use crate::run::script::{Prepared, Work};
use crate::run::task::Direction;
use crate::schema::catalog::{Catalog, CatalogOptions};
use crate::source::{Migration, Version};

/// A migration, ready to be tried.
pub(crate) struct Ready<'a> {
    /// The migration.
    pub(crate) migration: &'a Migration,
    /// Version and name.
    pub(crate) label: String,
    /// Its up, or why it is not run.
    pub(crate) up: Result<Prepared, String>,
    /// Its down.
    pub(crate) down: Down,
}

/// What a migration has to be undone by.
pub(crate) enum Down {
    /// Nothing, as the migration declares, and why.
    Irreversible(String),
    /// No script, and why where the format knows.
    None(Option<String>),
    /// A script without a statement.
    Empty,
    /// This, or why it is not run.
    Script(Result<Prepared, String>),
}

impl Ready<'_> {
    pub(crate) fn version(&self) -> &Version {
        &self.migration.version
    }
}

/// Where databases come from, and what is in each from the start.
pub(crate) struct Bench<'a> {
    pub(crate) place: &'a mut Place,
    pub(crate) options: &'a Options,
    /// What a new database is copied from, where there is a prelude.
    base: Option<DatabaseUrl>,
    prelude: Option<Prepared>,
}

impl<'a> Bench<'a> {
    pub(crate) fn new(place: &'a mut Place, options: &'a Options, prelude: Option<Prepared>) -> Self {
        Self { place, options, base: None, prelude }
    }

    /// A database with nothing in it but what the prelude makes.
    pub(crate) async fn fresh(&mut self) -> Result<Applier, RoundtripError> {
        if let Some(base) = self.base.clone()
            && let Some(copy) = self.place.copy(&base).await?
        {
            return self.open(&copy).await;
        }
        let url = self.place.create(&DatabaseSettings::default()).await?;
        let mut applier = self.open(&url).await?;
        let Some(prelude) = &self.prelude else { return Ok(applier) };
        let done = applier.run(prelude, &Version::new("prelude"), Direction::Up).await;
        done.map_err(RoundtripError::Prelude)?;
        if !self.place.can_copy() {
            return Ok(applier);
        }
        // Roles are the server's: a prelude that makes some runs once.
        applier.close().await;
        self.base = Some(url);
        Box::pin(self.fresh()).await
    }

    pub(crate) async fn open(&mut self, url: &DatabaseUrl) -> Result<Applier, RoundtripError> {
        let failed = |error| RoundtripError::Database(error);
        let connect = &self.options.connect;
        let mut session = db::connect(url, connect).await.map_err(failed)?;
        if url.dialect() == Dialect::Sqlite {
            // It will not be there tomorrow.
            session.run("PRAGMA synchronous = OFF; PRAGMA journal_mode = MEMORY").await.map_err(failed)?;
        }
        let key = LockKey { journal: self.options.journal.clone() };
        Applier::new(session, url, self.options.folder.clone(), key).await.map_err(failed)
    }

    /// A copy of the database of `applier`, which is opened again.
    pub(crate) async fn copy(&mut self, applier: Applier) -> Result<(Applier, Applier), RoundtripError> {
        let url = applier.url().clone();
        applier.close().await;
        let copied = self.place.copy(&url).await?.ok_or(RoundtripError::NoCopy)?;
        Ok((self.open(&url).await?, self.open(&copied).await?))
    }

    pub(crate) async fn remove(&mut self, applier: Applier) -> Result<(), RoundtripError> {
        let url = applier.url().clone();
        applier.close().await;
        Ok(self.place.remove(&url).await?)
    }

    /// A new database with these migrations applied.
    pub(crate) async fn rebuilt(&mut self, ups: &[&Ready<'_>]) -> Result<Applier, RoundtripError> {
        let mut applier = self.fresh().await?;
        for ready in ups {
            let Ok(up) = &ready.up else { continue };
            let done = applier.run(up, ready.version(), Direction::Up).await;
            done.map_err(|error| RoundtripError::NotRepeatable { migration: ready.label.clone(), error })?;
        }
        Ok(applier)
    }

    /// The catalog of the applier's database.
    pub(crate) async fn catalog(&self, applier: &mut Applier) -> Result<Catalog, RoundtripError> {
        self.catalog_with(applier, true).await
    }

    /// The same, with owners or without.
    pub(crate) async fn catalog_with(
        &self,
        applier: &mut Applier,
        owners: bool,
    ) -> Result<Catalog, RoundtripError> {
        let options = CatalogOptions {
            owners,
            journal: Some(Name::new(&self.options.journal)),
            ..CatalogOptions::default()
        };
        db::catalog::read(applier.session(), &options).await.map_err(RoundtripError::Database)
    }

    /// Puts rows into the empty tables of the applier's database. What cannot be filled stays empty.
    pub(crate) async fn fill(&self, applier: &mut Applier) {
        match fill::fill(applier.session(), &self.options.journal).await {
            Ok(empty) => {
                for (table, why) in empty {
                    tracing::debug!("no row could be made for {table}: {why}");
                }
            }
            Err(error) => tracing::warn!("no rows could be made: {error}"),
        }
    }

    /// The rows of the applier's database; none where they cannot be read.
    pub(crate) async fn rows(&self, applier: &mut Applier) -> Rows {
        match rows::read(applier.session()).await {
            Ok(rows) => rows,
            Err(error) => {
                tracing::debug!("the rows could not be read: {error}");
                Rows::default()
            }
        }
    }
}

/// Whether a script has nothing to run.
pub(crate) fn is_empty(prepared: &Result<Prepared, String>) -> bool {
    let no_statement = |prepared: &Prepared| match &prepared.work {
        Work::Statements(statements) => statements.is_empty(),
        Work::LargeFile { .. } | Work::Program(_) => false,
    };
    prepared.as_ref().is_ok_and(no_statement)
}

/// An error in one line, for a report.
pub(crate) fn words(error: &ApplyError) -> String {
    error.to_string()
}
