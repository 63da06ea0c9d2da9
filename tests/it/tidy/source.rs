//! The project's own Rust files, read as far as the tidy tests need: code without comments, strings and tests, and
//! the paths that it names.

use std::fs;
use std::path::{Path, PathBuf};

/// One Rust file below `src/`.
pub struct RustFile {
    /// Its path below `src/`: `engine/postgres/lower.rs`.
    pub path: String,
    /// All of it.
    pub text: String,
    /// Without comments and tests, with empty strings, line for line.
    pub code: String,
    /// The literals of strings outside tests, as they are written, without their quotes.
    pub strings: Vec<Literal>,
}

/// A string in the source.
pub struct Literal {
    /// Its place in [`RustFile::code`].
    pub at: usize,
    /// What is between its quotes.
    pub text: String,
}

impl RustFile {
    /// What `text` says at `path`.
    pub fn new(path: &str, text: &str) -> RustFile {
        let (code, strings) = code_and_strings(&without_tests(text));
        RustFile { path: path.to_owned(), text: text.to_owned(), code, strings }
    }

    /// The module that it is, from the crate's root: `["engine", "postgres", "lower"]`.
    pub fn module(&self) -> Vec<String> {
        let path = self.path.trim_end_matches(".rs").trim_end_matches("/mod");
        path.split('/').filter(|part| !matches!(*part, "lib" | "main")).map(str::to_owned).collect()
    }

    /// The folder of `src/` that it is in, or its own name without `.rs`: its layer.
    pub fn layer(&self) -> &str {
        self.path.split('/').next().expect("a split has a first part").trim_end_matches(".rs")
    }

    /// Every path of the crate that its code names, from the root: `["engine", "Change"]`.
    pub fn crate_paths(&self) -> Vec<Vec<String>> {
        let tokens = tokens(&self.code);
        let mut paths = Vec::new();
        for at in 0..tokens.len() {
            let follows_path = at > 0 && matches!(tokens[at - 1], "::" | "(");
            let is_start = tokens.get(at + 1) == Some(&"::") && !follows_path;
            let base = match tokens[at] {
                "crate" | "twostep" if is_start => Vec::new(),
                "super" if is_start => parent(&self.module()),
                _ => continue,
            };
            collect_paths(&tokens, at + 2, &base, &mut paths);
        }
        paths
    }

    /// Every word of its code, with the number of its line.
    pub fn words(&self) -> Vec<(usize, &str)> {
        let lines = self.code.lines().enumerate();
        lines.flat_map(|(line, text)| tokens(text).into_iter().map(move |word| (line + 1, word))).collect()
    }
}

/// Reads the tree of paths that starts at `at`, after `base::`, and gives the place behind it.
fn collect_paths(tokens: &[&str], mut at: usize, base: &[String], paths: &mut Vec<Vec<String>>) -> usize {
    let mut path = base.to_vec();
    loop {
        match tokens.get(at) {
            Some(&"{") => {
                at += 1;
                while let Some(token) = tokens.get(at) {
                    match *token {
                        "}" => return at + 1,
                        "," => at += 1,
                        _ => at = collect_paths(tokens, at, &path, paths),
                    }
                }
                return at;
            }
            Some(&"super") => path = parent(&path),
            Some(&"self") => {}
            Some(name) => path.push((*name).to_owned()),
            None => return at,
        }
        if tokens.get(at + 1) != Some(&"::") {
            break;
        }
        at += 2;
    }
    paths.push(path);
    // `as name` belongs to it.
    if tokens.get(at + 1) == Some(&"as") { at + 3 } else { at + 1 }
}

fn parent(module: &[String]) -> Vec<String> {
    module[..module.len().saturating_sub(1)].to_vec()
}

/// Words, `::`, and every other character by itself.
fn tokens(code: &str) -> Vec<&str> {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let mut tokens = Vec::new();
    let mut rest = code.trim_start();
    while let Some(first) = rest.chars().next() {
        let length = match first {
            c if is_word(c) => rest.find(|c| !is_word(c)).unwrap_or(rest.len()),
            ':' if rest.starts_with("::") => 2,
            c => c.len_utf8(),
        };
        tokens.push(&rest[..length]);
        rest = rest[length..].trim_start();
    }
    tokens
}

/// Cuts off the test module, which stands at the end of a file.
fn without_tests(text: &str) -> String {
    match text.find("\n#[cfg(test)]\nmod ") {
        Some(start) if text[start..].trim_end().ends_with("\n}") => text[..start].to_owned(),
        _ => text.to_owned(),
    }
}

/// Blanks comments and the insides of strings and characters, and gives the strings apart.
fn code_and_strings(text: &str) -> (String, Vec<Literal>) {
    let mut code = String::with_capacity(text.len());
    let mut strings = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, inside) = match first {
            '/' if rest.starts_with("//") => (rest.find('\n').unwrap_or(rest.len()), None),
            '/' if rest.starts_with("/*") => (rest.find("*/").map_or(rest.len(), |end| end + 2), None),
            '"' => escaped_string(rest),
            'r' | 'b' | 'c' if !code.ends_with(|c: char| c.is_alphanumeric() || c == '_') => {
                raw_string(rest).unwrap_or_default()
            }
            '\'' => (character(rest), None),
            _ => (0, None),
        };
        if length == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
            continue;
        }
        code.extend(rest[..length].chars().filter(|c| *c == '\n'));
        if let Some(inside) = inside {
            strings.push(Literal { at: code.len(), text: inside.to_owned() });
            code.push_str("\"\"");
        }
        rest = &rest[length..];
    }
    (code, strings)
}

/// The length of the string literal that starts here, and what is in it.
fn escaped_string(text: &str) -> (usize, Option<&str>) {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return (at + 1, Some(&text[1..at])),
            _ => {}
        }
    }
    (text.len(), Some(&text[1..]))
}

/// The same for `r"…"`, `r#"…"#`, `br"…"` and `b"…"`; none if something else starts here.
fn raw_string(text: &str) -> Option<(usize, Option<&str>)> {
    let prefix = text.find(|c| !matches!(c, 'r' | 'b' | 'c')).filter(|length| *length <= 2)?;
    let hashes = text[prefix..].chars().take_while(|c| *c == '#').count();
    let open = prefix + hashes + 1;
    if !text[prefix + hashes..].starts_with('"') {
        return None;
    }
    if !text[..prefix].contains('r') {
        let (length, inside) = escaped_string(&text[prefix..]);
        return Some((prefix + length, inside));
    }
    let close = format!("\"{}", "#".repeat(hashes));
    let length = text[open..].find(&close)?;
    Some((open + length + close.len(), Some(&text[open..open + length])))
}

/// The length of the character literal that starts here; 0 for a lifetime.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match (chars.next(), chars.next()) {
        (Some((_, '\\')), Some((at, c))) => {
            text[at + c.len_utf8()..].find('\'').map_or(0, |end| at + c.len_utf8() + end + 1)
        }
        (Some(_), Some((at, '\''))) => at + 1,
        _ => 0,
    }
}

/// The Rust files below `src/`, in the order of their paths.
pub fn rust_files() -> Vec<RustFile> {
    let source = root().join("src");
    let rust = files(&source, &[]).into_iter().filter(|path| path.extension().is_some_and(|e| e == "rs"));
    let read = |path: PathBuf| {
        let below =
            path.strip_prefix(&source).expect("it was found there").to_str().expect("we name files in ASCII");
        RustFile::new(below, &fs::read_to_string(&path).expect("it was found"))
    };
    rust.map(read).collect()
}

/// The project's folder.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below a folder, without the folders named in `but`.
pub fn files(folder: &Path, but: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in
        fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("it can be read"))
    {
        let is_out = but.iter().any(|name| entry.file_name() == *name);
        match entry.file_type().expect("it has one") {
            _ if is_out => {}
            kind if kind.is_dir() => found.extend(files(&entry.path(), but)),
            kind if kind.is_file() => found.push(entry.path()),
            _ => {}
        }
    }
    found.sort();
    found
}
