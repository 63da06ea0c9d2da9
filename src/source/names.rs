//! What the file names of all formats have in common: folders, hidden files, versions and slugs.

/// The folder and the name of a path: `a/b/c.sql` gives `("a/b", "c.sql")`.
pub(super) fn split_path(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The path of `name` in `folder`, where the empty folder is the root.
pub(super) fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// What is wrong where a placeholder has no value, and what to do.
pub(super) fn missing_variable(name: &str) -> (String, String) {
    let what = format!("needs the variable `{name}`");
    let help = format!("give it with `--var {name}=VALUE`, or under `[variables]` in twostep.toml");
    (what, help)
}

/// Whether no format ever looks at the file: hidden, or there for people.
pub(super) fn is_ignorable(path: &str) -> bool {
    let hidden = path.split('/').any(|part| part.starts_with('.'));
    let name = split_path(path).1.to_ascii_lowercase();
    let for_people =
        ["readme", "license", "changelog", "contributing"].iter().any(|start| name.starts_with(start))
            && !name.ends_with(".sql");
    hidden || for_people || name.ends_with(".md") || name == "thumbs.db" || name == "desktop.ini"
}

/// Endings by which a file seems to hold SQL, or to be one direction of a migration.
const SQL_ENDINGS: [&str; 9] = [".sql", ".sq", ".slq", ".sqll", ".psql", ".pgsql", ".ddl", ".up", ".down"];

/// Whether a file seems to be meant as a migration, whatever its name starts with.
pub(super) fn seems_sql(file_name: &str) -> bool {
    let lower = file_name.to_ascii_lowercase();
    SQL_ENDINGS.iter().any(|ending| lower.ends_with(ending))
}

/// Endings of programs that other tools take for migrations.
const CODE_ENDINGS: [&str; 9] = [".go", ".rs", ".java", ".kt", ".js", ".ts", ".py", ".rb", ".php"];

/// Whether a file holds code.
pub(super) fn is_code(file_name: &str) -> bool {
    CODE_ENDINGS.iter().any(|ending| file_name.ends_with(ending))
}

/// The ASCII digits at the start of `text`, and the rest.
pub(super) fn leading_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

/// `digits` as a number: the versions of some projects are a moment and six more digits, which 64 bits do not hold.
/// `None` where it does not fit into 128 bits.
pub(super) fn number(digits: &str) -> Option<u128> {
    digits.parse().ok()
}

/// The same for a tool whose versions are numbers of 64 bits.
pub(super) fn number_64(digits: &str) -> Option<u64> {
    digits.parse().ok()
}

/// Whether `name` may stand in a file name of ours: letters, digits, `_` and `-`.
pub(super) fn is_plain_name(name: &str) -> bool {
    !name.is_empty() && name.chars().all(|character| character.is_alphanumeric() || "_-".contains(character))
}

/// What a person called a migration, made fit for a file name: `Add users!` gives `add_users`. Empty where
/// nothing is left of it.
pub fn slug(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_alphanumeric() || character == '-' {
            out.push(character);
        } else if !out.ends_with('_') {
            out.push('_');
        }
    }
    out.trim_matches(['_', '-']).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slugs_are_plain_names() {
        assert_eq!(slug("Add users' e-mail!"), "add_users_e-mail");
        assert_eq!(slug("  Größe  ändern "), "größe_ändern");
        assert_eq!(slug("!!"), "");
        assert!(is_plain_name(&slug("a/b\\c: d")));
    }

    #[test]
    fn people_and_editors_have_their_own_files() {
        for path in ["README", "README.md", ".gitkeep", ".git/1_a.up.sql", "docs/notes.md", "a/.x"] {
            assert!(is_ignorable(path), "{path}");
        }
        for path in ["1_a.up.sql", "readme.sql", "a/1.sql"] {
            assert!(!is_ignorable(path), "{path}");
        }
    }
}
