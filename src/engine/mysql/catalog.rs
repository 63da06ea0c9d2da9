//! The catalog of MySQL and MariaDB as readable text: what to ask (`query`, `follow_up`), and the catalog that the rows
//! make (`assemble`).
//!
//! Both print the same schema in different words (`int(11)` and `int`, quoted and bare defaults); what means the same
//! is said in one form. Counters (`AUTO_INCREMENT=`) are data. The name of the database is left out of the texts, so
//! that two databases compare.

mod columns;
mod tables;

use crate::dialect::Dialect;
use crate::name::Name;
use crate::schema::catalog::{Catalog, CatalogKind, CatalogOptions, ObjectKey, ObjectText};
use std::collections::BTreeMap;

const DIALECT: Dialect = Dialect::Mysql;

/// The statements that read the catalog of the current database, to be sent as one message. All rows of all of them
/// go to [`assemble`].
pub fn query(is_mariadb: bool) -> String {
    let (expression, hidden) =
        if is_mariadb { ("NULL", "IGNORED = 'YES'") } else { ("EXPRESSION", "IS_VISIBLE = 'NO'") };
    let is_value = if is_mariadb { "0" } else { DEFAULT_IS_VALUE };
    let reference_system = if is_mariadb { "NULL" } else { "SRS_ID" };
    let checks = if is_mariadb {
        "SELECT 'check', TABLE_NAME, CONSTRAINT_NAME, CHECK_CLAUSE, 'YES', LEVEL FROM CHECK_CONSTRAINTS c \
         WHERE c.CONSTRAINT_SCHEMA = DATABASE()"
    } else {
        "SELECT 'check', t.TABLE_NAME, c.CONSTRAINT_NAME, c.CHECK_CLAUSE, t.ENFORCED \
         FROM CHECK_CONSTRAINTS c JOIN TABLE_CONSTRAINTS t ON t.CONSTRAINT_SCHEMA = c.CONSTRAINT_SCHEMA \
         AND t.CONSTRAINT_NAME = c.CONSTRAINT_NAME AND t.CONSTRAINT_TYPE = 'CHECK' \
         WHERE c.CONSTRAINT_SCHEMA = DATABASE()"
    };
    let statements = [
        "SELECT 'database', SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM SCHEMATA \
         WHERE SCHEMA_NAME = DATABASE()",
        "SELECT 'table', TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_COLLATION, CREATE_OPTIONS, TABLE_COMMENT FROM TABLES \
         WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE <> 'TEMPORARY'",
        &format!(
            "SELECT 'column', TABLE_NAME, ORDINAL_POSITION, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE, COLUMN_DEFAULT, \
             EXTRA, COLLATION_NAME, GENERATION_EXPRESSION, COLUMN_COMMENT, {is_value}, {reference_system} \
             FROM COLUMNS \
             WHERE TABLE_SCHEMA = DATABASE()"
        ),
        &format!(
            "SELECT 'index', TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, NON_UNIQUE, COLUMN_NAME, COLLATION, SUB_PART, \
             INDEX_TYPE, INDEX_COMMENT, {expression}, {hidden} FROM STATISTICS WHERE TABLE_SCHEMA = DATABASE()"
        ),
        "SELECT 'reference', k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION, k.COLUMN_NAME, \
         k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME, r.UPDATE_RULE, r.DELETE_RULE \
         FROM KEY_COLUMN_USAGE k JOIN REFERENTIAL_CONSTRAINTS r ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA \
         AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME \
         WHERE k.CONSTRAINT_SCHEMA = DATABASE() AND k.REFERENCED_TABLE_NAME IS NOT NULL",
        checks,
        "SELECT 'partition', TABLE_NAME, PARTITION_ORDINAL_POSITION, PARTITION_NAME, PARTITION_METHOD, \
         PARTITION_EXPRESSION, PARTITION_DESCRIPTION, SUBPARTITION_METHOD, SUBPARTITION_EXPRESSION, SUBPARTITION_NAME \
         FROM PARTITIONS WHERE TABLE_SCHEMA = DATABASE() AND PARTITION_NAME IS NOT NULL \
         ORDER BY PARTITION_ORDINAL_POSITION, SUBPARTITION_ORDINAL_POSITION",
        "SELECT 'trigger', EVENT_OBJECT_TABLE, TRIGGER_NAME, ACTION_TIMING, EVENT_MANIPULATION, ACTION_ORDER, \
         ACTION_STATEMENT, DEFINER FROM TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()",
        "SELECT 'view', TABLE_NAME, VIEW_DEFINITION, CHECK_OPTION, SECURITY_TYPE, DEFINER FROM VIEWS \
         WHERE TABLE_SCHEMA = DATABASE()",
        "SELECT 'routine', ROUTINE_TYPE, ROUTINE_NAME, DTD_IDENTIFIER, ROUTINE_DEFINITION, IS_DETERMINISTIC, \
         SQL_DATA_ACCESS, SECURITY_TYPE, ROUTINE_COMMENT, DEFINER FROM ROUTINES \
         WHERE ROUTINE_SCHEMA = DATABASE() AND ROUTINE_TYPE IN ('FUNCTION', 'PROCEDURE')",
        "SELECT 'parameter', ROUTINE_TYPE, SPECIFIC_NAME, ORDINAL_POSITION, PARAMETER_MODE, PARAMETER_NAME, \
         DTD_IDENTIFIER FROM PARAMETERS WHERE SPECIFIC_SCHEMA = DATABASE() AND ORDINAL_POSITION > 0",
        "SELECT 'event', EVENT_NAME, EVENT_TYPE, EXECUTE_AT, INTERVAL_VALUE, INTERVAL_FIELD, ENDS, STATUS, \
         ON_COMPLETION, EVENT_DEFINITION, EVENT_COMMENT, DEFINER FROM EVENTS WHERE EVENT_SCHEMA = DATABASE()",
    ];
    let in_schema = |statement: &str| {
        [" FROM ", " JOIN "].iter().fold(statement.to_owned(), |text, word| {
            text.replace(word, &format!("{word}information_schema."))
        })
    };
    format!("{ENTER};\n{};\n{LEAVE}", statements.map(in_schema).join(";\n"))
}

/// Whether MySQL gives a default as the value itself, which is to be quoted, and not as an expression.
const DEFAULT_IS_VALUE: &str = "EXTRA NOT LIKE '%DEFAULT_GENERATED%' \
    AND DATA_TYPE NOT REGEXP 'int|decimal|float|double|bit|year'";

/// What the server's texts depend on: how names are quoted, and the time zone of defaults.
const ENTER: &str = "SET @twostep_sql_mode = @@SESSION.sql_mode, @twostep_time_zone = @@SESSION.time_zone; \
    SET SESSION sql_mode = '', SESSION time_zone = '+00:00'";

/// The session's own values again.
const LEAVE: &str = "SET SESSION sql_mode = @twostep_sql_mode, SESSION time_zone = @twostep_time_zone; \
    SET @twostep_sql_mode = NULL, @twostep_time_zone = NULL";

/// What is to be asked as well after `rows` came from [`query`]: MariaDB's sequences. Its rows are added to those.
pub fn follow_up(rows: &[Vec<Option<String>>]) -> Option<String> {
    let statements: Vec<String> = rows
        .iter()
        .map(|row| Fields(row))
        .filter(|row| row.text(0) == "table" && row.text(2) == "SEQUENCE")
        .map(|row| {
            let name = Name::new(row.text(1));
            format!(
                "SELECT 'sequence', {}, minimum_value, maximum_value, start_value, increment, cache_size, cycle_option \
                 FROM {}",
                crate::name::literal(name.as_str(), DIALECT),
                name.quoted(DIALECT)
            )
        })
        .collect();
    (!statements.is_empty()).then(|| statements.join(";\n"))
}

/// The catalog that the rows of [`query`] and [`follow_up`] make.
pub fn assemble(rows: &[Vec<Option<String>>], options: &CatalogOptions) -> Catalog {
    let rows: Vec<Fields> = rows.iter().map(|row| Fields(row)).collect();
    let of = |tag: &'static str| rows.iter().copied().filter(move |row| row.text(0) == tag);
    let database = of("database").next().map_or("", |row| row.text(1));
    let context = Context { database, owners: options.owners };
    let mut catalog = Catalog::default();
    let mut add = |kind: CatalogKind, name: String, text: ObjectText| {
        catalog.objects.insert(ObjectKey { kind, name }, text);
    };
    for row in of("database") {
        let properties = vec![format!("character set {}, collate {}", row.text(2), row.text(3))];
        add(CatalogKind::Database, "settings".to_owned(), ObjectText { properties, ..ObjectText::default() });
    }
    let mut tables = tables::Tables::of(&rows, context);
    for row in of("table") {
        let name = row.text(1);
        if options.is_journal_table(name) || options.excludes_table(database, name) {
            continue;
        }
        let (kind, text) = tables.take(row);
        add(kind, Name::new(name).shown(DIALECT), text);
    }
    let mut parameters: BTreeMap<(&str, &str), Vec<(i64, String)>> = BTreeMap::new();
    for row in of("parameter") {
        let words: Vec<&str> = [4, 5, 6].iter().filter_map(|column| row.get(*column)).collect();
        parameters
            .entry((row.text(1), row.text(2)))
            .or_default()
            .push((row.number(3), columns::plain_type(&words.join(" "))));
    }
    for row in of("routine") {
        let kind = if row.text(1) == "PROCEDURE" { CatalogKind::Procedure } else { CatalogKind::Function };
        let mut arguments = parameters.remove(&(row.text(1), row.text(2))).unwrap_or_default();
        arguments.sort_unstable();
        add(kind, Name::new(row.text(2)).shown(DIALECT), context.routine(row, &arguments));
    }
    for row in of("event") {
        add(CatalogKind::Event, Name::new(row.text(1)).shown(DIALECT), context.event(row));
    }
    catalog
}

/// What the texts depend on.
#[derive(Clone, Copy)]
struct Context<'a> {
    database: &'a str,
    owners: bool,
}

impl Context<'_> {
    /// `text` without the name of the database before names.
    fn without_database(self, text: &str) -> String {
        text.replace(&format!("{}.", Name::new(self.database).quoted(DIALECT)), "")
    }

    /// The owner, where owners are asked for.
    fn definer(self, definer: &str) -> Option<String> {
        self.owners.then(|| format!("definer {definer}"))
    }

    fn routine(self, row: Fields<'_>, arguments: &[(i64, String)]) -> ObjectText {
        let arguments: Vec<&str> = arguments.iter().map(|(_, argument)| argument.as_str()).collect();
        let returns = row.get(3).filter(|returns| !returns.is_empty());
        let mut properties = vec![format!("arguments ({})", arguments.join(", "))];
        properties.extend(returns.map(|returns| format!("returns {}", columns::plain_type(returns))));
        properties.extend((row.text(5) == "YES").then(|| "deterministic".to_owned()));
        properties.extend((row.text(6) != "CONTAINS SQL").then(|| row.text(6).to_lowercase()));
        properties.extend((row.text(7) != "DEFINER").then(|| "sql security invoker".to_owned()));
        properties.extend(self.definer(row.text(9)));
        properties.push(match row.get(4) {
            Some(body) => format!("as\n{body}"),
            None => "(its body is hidden from this user)".to_owned(),
        });
        properties.extend(comment(row.text(8)));
        ObjectText { properties, ..ObjectText::default() }
    }

    /// An event. When it first runs is left out: it is when it was made unless said otherwise.
    fn event(self, row: Fields<'_>) -> ObjectText {
        let when = match row.get(3) {
            Some(at) => format!("at {at}"),
            None => format!("every {} {}", row.text(4), row.text(5).to_lowercase()),
        };
        let mut properties = vec![when];
        properties.extend(row.get(6).map(|ends| format!("ends {ends}")));
        properties.extend((row.text(7) != "ENABLED").then(|| row.text(7).to_lowercase()));
        properties.extend((row.text(8) == "PRESERVE").then(|| "preserve on completion".to_owned()));
        properties.extend(self.definer(row.text(11)));
        properties.push(format!("as\n{}", row.text(9)));
        properties.extend(comment(row.text(10)));
        ObjectText { properties, ..ObjectText::default() }
    }
}

/// A comment's item.
fn comment(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| format!("comment: {text}"))
}

/// One row: column 0 says what it is, the others are in the order of the statement.
#[derive(Clone, Copy)]
struct Fields<'a>(&'a [Option<String>]);

impl<'a> Fields<'a> {
    fn get(self, column: usize) -> Option<&'a str> {
        self.0.get(column).and_then(|value| value.as_deref())
    }

    fn text(self, column: usize) -> &'a str {
        self.get(column).unwrap_or("")
    }

    fn number(self, column: usize) -> i64 {
        self.text(column).parse().unwrap_or(0)
    }
}
