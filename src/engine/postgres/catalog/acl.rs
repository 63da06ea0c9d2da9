//! Access lists as `grant` and `revoke` lines: what was granted beyond, or taken from, what an object's kind has by
//! itself.

use super::rows::ITEM_SEPARATOR as SEPARATOR;
use std::collections::BTreeMap;

/// The letters of access lists in the order in which the server prints them, and their privileges
/// (<https://www.postgresql.org/docs/current/ddl-priv.html#PRIVILEGE-ABBREVS-TABLE>).
const PRIVILEGES: &[(char, &str)] = &[
    ('a', "insert"),
    ('r', "select"),
    ('w', "update"),
    ('d', "delete"),
    ('D', "truncate"),
    ('x', "references"),
    ('t', "trigger"),
    ('X', "execute"),
    ('U', "usage"),
    ('C', "create"),
    ('T', "temporary"),
    ('c', "connect"),
    ('s', "set"),
    ('A', "alter system"),
    ('m', "maintain"),
];

/// Who may do something, who said so, and whether it may be passed on.
type Grant = (String, String, bool);

/// The lines for the list `acl`, as the server prints it, where the object would have `default` by itself. None where
/// it has no list of its own. `symbolic` says `owner` for the owner's name.
pub(super) fn lines(acl: Option<&str>, default: Option<&str>, owner: &str, symbolic: bool) -> Vec<String> {
    let Some(acl) = acl else { return Vec::new() };
    let (held, usual) = (grants(acl), grants(default.unwrap_or("")));
    let name = |role: &str| match role {
        "" => "public".to_owned(),
        role if symbolic && role == owner => "owner".to_owned(),
        role => role.to_owned(),
    };
    let words = |(role, grantor, option): &Grant, word: &str, to: &str, privileges: &[usize]| {
        let privileges: Vec<&str> = privileges.iter().map(|index| PRIVILEGES[*index].1).collect();
        let by = if grantor == owner { String::new() } else { format!(" granted by {}", name(grantor)) };
        let option = if *option { " with grant option" } else { "" };
        format!("{word} {} {to} {}{option}{by}", privileges.join(", "), name(role))
    };
    let mut lines: Vec<String> = Vec::new();
    for (grant, privileges) in &usual {
        let lost = without(privileges, held.get(grant));
        if !lost.is_empty() {
            lines.push(words(grant, "revoke", "from", &lost));
        }
    }
    for (grant, privileges) in &held {
        let more = without(privileges, usual.get(grant));
        if !more.is_empty() {
            lines.push(words(grant, "grant", "to", &more));
        }
    }
    lines.sort_unstable();
    lines
}

/// The privileges of `all` that are not in `known`.
fn without(all: &[usize], known: Option<&Vec<usize>>) -> Vec<usize> {
    all.iter().filter(|index| known.is_none_or(|known| !known.contains(index))).copied().collect()
}

/// The items of a list: `grantee=privileges/grantor`, where a `*` behind a privilege lets the grantee pass it on.
fn grants(acl: &str) -> BTreeMap<Grant, Vec<usize>> {
    let mut grants: BTreeMap<Grant, Vec<usize>> = BTreeMap::new();
    for item in acl.split(SEPARATOR).filter(|item| !item.is_empty()) {
        let (grantee, rest) = role(item);
        let Some(rest) = rest.strip_prefix('=') else { continue };
        let (letters, grantor) = rest.split_once('/').unwrap_or((rest, ""));
        let (grantor, _) = role(grantor);
        let mut letters = letters.chars().peekable();
        while let Some(letter) = letters.next() {
            let option = letters.next_if_eq(&'*').is_some();
            let Some(privilege) = PRIVILEGES.iter().position(|(known, _)| *known == letter) else { continue };
            grants.entry((grantee.clone(), grantor.clone(), option)).or_default().push(privilege);
        }
    }
    grants.values_mut().for_each(|privileges| privileges.sort_unstable());
    grants
}

/// A role's name at the start of `text`, without the quotes around it, and what follows.
fn role(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(['=', '/']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut name = String::new();
    let mut rest = quoted;
    while let Some(end) = rest.find('"') {
        name.push_str(&rest[..end]);
        rest = &rest[end + 1..];
        // A quote in the name is doubled.
        match rest.strip_prefix('"') {
            Some(more) => {
                name.push('"');
                rest = more;
            }
            None => break,
        }
    }
    (name, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(acl: &str, default: &str, expected: &[&str]) {
        let separated = |list: &str| list.replace(' ', &SEPARATOR.to_string());
        assert_eq!(lines(Some(&separated(acl)), Some(&separated(default)), "me", true), expected, "{acl}");
    }

    #[test]
    fn only_what_differs_from_the_default_is_said() {
        assert_eq!(lines(None, None, "me", true), [""; 0]);
        check("me=arwdDxt/me", "me=arwdDxt/me", &[]);
        check("me=arwdDxt/me app=rw/me", "me=arwdDxt/me", &["grant select, update to app"]);
        check("me=X/me", "=X/me me=X/me", &["revoke execute from public"]);
        check("", "=U/me me=U/me", &["revoke usage from owner", "revoke usage from public"]);
        check("me=r/me =r/me", "me=rm/me", &["grant select to public", "revoke maintain from owner"]);
    }

    #[test]
    fn grant_options_and_other_grantors_are_said() {
        let expected = ["grant select to app with grant option", "grant update to app"];
        check("me=arw/me app=r*w/me", "me=arw/me", &expected);
        check("me=r/me app=r/boss", "me=r/me", &["grant select to app granted by boss"]);
        // The same from two grantors is two grants.
        let expected = ["grant select to app", "grant select to app granted by boss"];
        check("me=r/me app=r/me app=r/boss", "me=r/me", &expected);
    }

    #[test]
    fn role_names_may_hold_anything() {
        let item = r#""a=b ""/c"=r/"me too""#;
        assert_eq!(
            lines(Some(item), Some(""), "me too", true),
            [r#"grant select to a=b "/c"#],
            "the quotes are the server's"
        );
        assert_eq!(
            lines(Some("me=r/me"), Some(""), "me", false),
            ["grant select to me"],
            "with owners, names are said"
        );
    }
}
