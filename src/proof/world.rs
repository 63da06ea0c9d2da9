//! The scratch databases of a proof: what there is before the deploy, with rows, and after each of its migrations.

use crate::db;
use crate::db::session::Session;
use crate::db::url::DatabaseUrl;
use crate::roundtrip::apply::{Applier, ApplyError, Look};
use crate::roundtrip::bench::{Bench, Down, Ready, words};
use crate::roundtrip::fill::{insert, tables};
use crate::roundtrip::run::RoundtripError;
use crate::run::task::Direction;

/// How many rows there are in each table before the deploy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rows {
    /// None.
    None,
    /// Two with all columns.
    Full,
    /// Two with all columns, and one with none that may be left out.
    Sparse,
}

/// The number of the row that leaves out what it may.
const SPARSE_ROW: usize = 3;

pub(super) struct World<'a> {
    pub(super) bench: Bench<'a>,
    pub(super) earlier: &'a [Ready<'a>],
    pub(super) parts: &'a [Ready<'a>],
    pub(super) rows: Rows,
    /// The database after each stage (0: before the deploy), to be copied; none where the engine cannot copy.
    templates: Vec<DatabaseUrl>,
}

/// A statement or a migration was refused.
#[derive(Debug)]
pub(super) struct Refused(pub(super) String);

impl<'a> World<'a> {
    pub(super) fn new(bench: Bench<'a>, earlier: &'a [Ready<'a>], parts: &'a [Ready<'a>]) -> Self {
        Self { bench, earlier, parts, rows: Rows::None, templates: Vec::new() }
    }

    /// What there is before the deploy.
    async fn start(&mut self) -> Result<Applier, RoundtripError> {
        let mut applier = self.bench.fresh().await?;
        for ready in self.earlier {
            let refused = |why| RoundtripError::UpFails { migration: ready.label.clone(), why };
            let up = ready.up.as_ref().map_err(|why| refused(why.clone()))?;
            let done = applier.run(up, ready.version(), Direction::Up).await;
            done.map_err(|error| refused(words(&error)))?;
        }
        if self.rows >= Rows::Full {
            self.bench.fill(&mut applier).await;
        }
        if self.rows >= Rows::Sparse {
            let dialect = applier.url().dialect();
            let journal = self.bench.options.journal.clone();
            let all = tables::read(applier.session(), &journal).await.map_err(RoundtripError::Database)?;
            for table in &all {
                // What its checks refuse is not put there.
                let _ = applier.session().run(&insert::shortest(table, SPARSE_ROW, dialect)).await;
            }
        }
        Ok(applier)
    }

    /// Begins anew with `rows` in the tables.
    pub(super) async fn begin(&mut self, rows: Rows) -> Result<(), RoundtripError> {
        self.rows = rows;
        for url in std::mem::take(&mut self.templates) {
            self.bench.place.remove(&url).await?;
        }
        if self.bench.place.can_copy() {
            let applier = self.start().await?;
            let url = applier.url().clone();
            applier.close().await;
            self.templates.push(url);
        }
        Ok(())
    }

    /// A database at `stage`, of which the templates are made already.
    pub(super) async fn at(&mut self, stage: usize) -> Result<Applier, RoundtripError> {
        if let Some(template) = self.templates.get(stage).cloned()
            && let Some(copy) = self.bench.place.copy(&template).await?
        {
            return self.bench.open(&copy).await;
        }
        let mut applier = self.start().await?;
        let parts = self.parts;
        for ready in &parts[..stage] {
            up(&mut applier, ready)
                .await
                .map_err(|Refused(why)| RoundtripError::UpFails { migration: ready.label.clone(), why })?;
        }
        Ok(applier)
    }

    /// Keeps `applier` as the database of the next stage.
    pub(super) async fn keep(&mut self, applier: Applier) -> Result<(), RoundtripError> {
        if !self.bench.place.can_copy() {
            return self.bench.remove(applier).await;
        }
        self.templates.push(applier.url().clone());
        applier.close().await;
        Ok(())
    }

    /// A client on the database of `applier`, as code has one.
    pub(super) async fn client(&self, applier: &Applier) -> Result<Box<dyn Session>, RoundtripError> {
        db::connect(applier.url(), &self.bench.options.connect).await.map_err(RoundtripError::Database)
    }
}

/// Applies a migration.
pub(super) async fn up(applier: &mut Applier, ready: &Ready<'_>) -> Result<(), Refused> {
    let up = ready.up.as_ref().map_err(|why| Refused(why.clone()))?;
    applier.run(up, ready.version(), Direction::Up).await.map_err(refused)
}

/// Applies a migration, and gives what each transaction of it held.
pub(super) async fn up_looked_at(
    applier: &mut Applier,
    ready: &Ready<'_>,
    look: Option<&'static str>,
) -> Result<Vec<Look>, Refused> {
    if let Some(look) = look {
        applier.look(look);
    }
    let done = up(applier, ready).await;
    let looks = applier.looked();
    done.map(|()| looks)
}

/// Takes a migration back; `Ok(false)` where it says that there is no way.
pub(super) async fn down(applier: &mut Applier, ready: &Ready<'_>) -> Result<bool, Refused> {
    match &ready.down {
        Down::Irreversible(_) => Ok(false),
        Down::None(why) => Err(Refused(why.clone().unwrap_or_else(|| "it has no down".to_owned()))),
        Down::Empty => Ok(true),
        Down::Script(Err(why)) => Err(Refused(why.clone())),
        Down::Script(Ok(script)) => {
            applier.run(script, ready.version(), Direction::Down).await.map_err(refused).map(|()| true)
        }
    }
}

fn refused(error: ApplyError) -> Refused {
    Refused(words(&error))
}
