//! What a change does to everyone else who uses the database: which locks it takes on which relations, and what it
//! does while it holds them. Facts, not opinions: each engine has a table of them, which a test asks real servers.

use crate::name::TableName;
use std::fmt;

/// A lock as the engine names it, and what it keeps others from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lock {
    /// The engine's name: `ACCESS EXCLUSIVE`.
    pub name: &'static str,
    /// Among the engine's locks, the higher one includes what the lower one blocks.
    pub strength: u8,
    /// Whether plain reads wait.
    pub blocks_reads: bool,
    /// Whether inserts, updates and deletes wait.
    pub blocks_writes: bool,
    /// Whether other schema changes and maintenance wait.
    pub blocks_ddl: bool,
}

impl Lock {
    /// What waits behind it, in prose; none where nothing that an application does.
    pub const fn blocked(&self) -> Option<&'static str> {
        match (self.blocks_reads, self.blocks_writes) {
            (true, _) => Some("reads and writes"),
            (false, true) => Some("writes"),
            (false, false) => None,
        }
    }
}

impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// What a relation is to a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// What the statement names.
    Target,
    /// The table that a foreign key points to.
    Referenced,
    /// A table with a foreign key to the target.
    Referencing,
    /// A partition, or a table that inherits.
    Child,
    /// The partitioned table, or a table that is inherited from.
    Parent,
    /// The partition that is attached or detached.
    Partition,
    /// The partition for what no other one takes.
    DefaultPartition,
    /// A view of the target, or the view that the statement names.
    View,
    /// An index of the target.
    Index,
    /// The table of an index that the statement names.
    Owner,
    /// A table that uses a domain or a composite type.
    User,
    /// A relation that is read.
    Source,
}

impl Role {
    /// What it is to the statement, in prose.
    pub const fn title(self) -> &'static str {
        match self {
            Role::Target => "the table",
            Role::Referenced => "the table that the foreign key points to",
            Role::Referencing => "the table whose foreign key points to it",
            Role::Child => "its partition or child",
            Role::Parent => "its parent",
            Role::Partition => "the partition",
            Role::DefaultPartition => "the default partition",
            Role::View => "the view",
            Role::Index => "the index",
            Role::Owner => "the index's table",
            Role::User => "a table that uses the type",
            Role::Source => "a relation that is read",
        }
    }
}

/// What a change does to a relation while it holds the lock, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Work {
    /// The catalog alone changes: as quick for a billion rows as for none.
    Catalog,
    /// It writes rows that the statement names.
    Rows,
    /// All rows are read.
    Scan,
    /// All rows are read to build an index.
    IndexBuild,
    /// Table and indexes are written anew.
    Rewrite,
}

impl Work {
    /// Whether it takes longer the more rows there are.
    pub const fn grows_with_rows(self) -> bool {
        match self {
            Work::Catalog => false,
            Work::Rows | Work::Scan | Work::IndexBuild | Work::Rewrite => true,
        }
    }

    /// What happens, in prose: `while …`.
    pub const fn during(self) -> &'static str {
        match self {
            Work::Catalog => "for a moment",
            Work::Rows => "until the transaction ends",
            Work::Scan => "while all rows are checked",
            Work::IndexBuild => "while the index is built",
            Work::Rewrite => "while the table and its indexes are rewritten",
        }
    }
}

/// What a statement waits for, beyond locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Wait {
    /// Every transaction that was open when it began and may use the table (`CONCURRENTLY`).
    OlderTransactions,
    /// Every transaction that has used the table, at its start and at its end, and whoever comes later waits behind it
    /// (the metadata lock of MySQL's online changes).
    OpenTransactions,
    /// Every transaction that holds a snapshot older than its own, of any table (`CONCURRENTLY`, at its end).
    OlderSnapshots,
}

/// How MySQL and MariaDB change a table, the least work first
/// (<https://dev.mysql.com/doc/refman/8.4/en/innodb-online-ddl.html>).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Algorithm {
    /// `INSTANT`: the data dictionary alone.
    Instant,
    /// `INPLACE` without writing the table anew (MariaDB: `NOCOPY`): metadata, or an index.
    Nocopy,
    /// `INPLACE` that writes the table anew.
    Inplace,
    /// `COPY`: the server copies row by row.
    Copy,
}

impl Algorithm {
    /// The word behind `ALGORITHM=`.
    pub const fn sql(self) -> &'static str {
        match self {
            Algorithm::Instant => "INSTANT",
            Algorithm::Nocopy | Algorithm::Inplace => "INPLACE",
            Algorithm::Copy => "COPY",
        }
    }
}

/// What is known of the session that a statement runs in, as far as locks depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Session {
    /// Whether its time zone is known to be UTC (PostgreSQL).
    pub utc: bool,
    /// Whether foreign keys are not checked (MySQL's `foreign_key_checks=0`).
    pub foreign_keys_unchecked: bool,
}

impl Session {
    /// What its settings say; `value` gives one by its name in lower case.
    pub fn of<'a>(value: impl Fn(&str) -> Option<&'a str>) -> Self {
        let is = |name: &str, words: &[&str]| {
            let value = value(name).map(|value| value.trim_matches('\'').to_ascii_lowercase());
            value.is_some_and(|value| words.contains(&value.as_str()))
        };
        Self {
            utc: is("timezone", &["utc", "gmt", "etc/utc", "+00"]),
            foreign_keys_unchecked: is("foreign_key_checks", &["0", "off", "false"]),
        }
    }
}

/// What a change does to one relation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelationEffect {
    /// Its full name as the schema knows it; as written where the schema does not.
    pub relation: TableName,
    /// What it is to the change.
    pub role: Role,
    /// The strongest lock that is taken on it; none where the engine takes no lock that anyone would notice.
    pub lock: Lock,
    /// What is done to it meanwhile.
    pub work: Work,
}

/// What a change does to everyone else. Relations that the change itself makes are not among them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Effects {
    /// One for each relation, in the order of their roles.
    pub relations: Vec<RelationEffect>,
    /// What it waits for, beyond locks.
    pub waits: Vec<Wait>,
    /// How the server changes the table, where it has a choice (MySQL, MariaDB).
    pub algorithm: Option<Algorithm>,
    /// The page of the manual that says so; empty where there are no effects.
    pub manual: &'static str,
}

impl Effects {
    /// The effect on what the statement names.
    pub fn target(&self) -> Option<&RelationEffect> {
        self.on(Role::Target)
    }

    /// The first effect on a relation in `role`.
    pub fn on(&self, role: Role) -> Option<&RelationEffect> {
        self.relations.iter().find(|effect| effect.role == role)
    }

    /// The most that is done to any relation.
    pub fn work(&self) -> Work {
        self.relations.iter().map(|effect| effect.work).max().unwrap_or(Work::Catalog)
    }

    /// Whether it is done at once, however many rows there are, once it has its locks.
    pub fn is_instant(&self) -> bool {
        !self.work().grows_with_rows() && self.waits.is_empty()
    }

    /// Adds what another change of the same statement does: the stronger lock and the greater work count.
    pub fn merge(&mut self, other: Effects) {
        for effect in other.relations {
            self.add(effect);
        }
        for wait in other.waits {
            if !self.waits.contains(&wait) {
                self.waits.push(wait);
            }
        }
        self.algorithm = self.algorithm.max(other.algorithm);
        if self.manual.is_empty() {
            self.manual = other.manual;
        }
    }

    /// Adds an effect on one relation; of two on the same one, the stronger lock and the greater work count.
    pub fn add(&mut self, effect: RelationEffect) {
        match self.relations.iter_mut().find(|known| known.relation == effect.relation) {
            Some(known) => {
                if effect.lock.strength > known.lock.strength {
                    known.lock = effect.lock;
                }
                known.work = known.work.max(effect.work);
                known.role = known.role.min(effect.role);
            }
            None => {
                let at = self.relations.partition_point(|known| known.role <= effect.role);
                self.relations.insert(at, effect);
            }
        }
    }
}
