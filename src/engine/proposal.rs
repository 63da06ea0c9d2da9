//! The two steps that do without harm what a hazardous change does: what the first release brings, what the code must
//! do, what the second release takes away. For the very table and column that the change is about.

/// Two steps instead of a change. Each entry of a list is one statement, or several that belong into one transaction.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Proposal {
    /// The first migration: it works with the code that is running, and with the new one.
    pub expand: Vec<String>,
    /// How rows are filled between the two, in batches; none where nothing has to be.
    pub backfill: Option<String>,
    /// What the code must do before the second migration is deployed.
    pub code: String,
    /// The second migration, once no older code runs.
    pub contract: Vec<String>,
    /// What has no online way, or is not quite the same.
    pub limits: Vec<String>,
}

impl Proposal {
    /// As text for people: both migrations, with what has to happen between them.
    pub fn text(&self) -> String {
        let mut out = String::new();
        let mut part = |title: &str, lines: &[String]| {
            if lines.is_empty() {
                return;
            }
            out.push_str(&format!("-- {title}\n"));
            for line in lines {
                out.push_str(line.trim_end());
                out.push('\n');
            }
        };
        part("1. expand, with this release:", &self.expand);
        if let Some(backfill) = &self.backfill {
            part("2. backfill, in batches:", std::slice::from_ref(backfill));
        }
        let code = self.code.lines().map(|line| format!("--    {line}")).collect::<Vec<_>>();
        part("then, in the code:", &code);
        part("last, contract, once no older code runs:", &self.contract);
        for limit in &self.limits {
            out.push_str(&format!("-- note: {limit}\n"));
        }
        out.truncate(out.trim_end().len());
        out
    }
}
