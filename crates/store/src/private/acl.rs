//! Access lists of Windows in their text form, SDDL: `O:OWNERD:FLAGS(TYPE;FLAGS;RIGHTS;;;WHO)…`.

/// Whoever may always: the system, administrators (`LA` is the first of them), and what stands for the owner.
const NO_OTHERS: [&str; 4] = ["SY", "BA", "LA", "OW"];

/// Groups that people know by name.
const NAMES: [(&str, &str); 6] = [
    ("WD", "Everyone"),
    ("AU", "Authenticated Users"),
    ("BU", "Users"),
    ("IU", "Interactive"),
    ("BG", "Guests"),
    ("AN", "Anonymous"),
];

/// The owner: a SID, or two letters for a known one.
pub(super) fn owner(text: &str) -> Option<&str> {
    let rest = text.strip_prefix("O:")?;
    // Two letters of a known owner may end with a D themselves.
    let end = rest
        .match_indices("D:")
        .map(|(at, _)| at)
        .find(|at| *at > 0);
    let owner = &rest[..end.unwrap_or(rest.len())];
    (!owner.is_empty()).then_some(owner)
}

/// The list of a file that only `owner` may read and change. Nothing comes to it from the folder (`P`).
pub(super) fn only(owner: &str) -> String {
    format!("D:P(A;;FA;;;{owner})")
}

/// Who may do anything besides the owner; without a list everybody may everything.
pub(super) fn others(text: &str) -> Option<String> {
    let owner = owner(text).unwrap_or_default();
    let Some((_, list)) = text
        .strip_prefix("O:")
        .and_then(|rest| rest[owner.len()..].split_once("D:"))
    else {
        return Some(name("WD"));
    };
    if list.contains("NO_ACCESS_CONTROL") {
        return Some(name("WD"));
    }
    let mut others: Vec<String> = list
        .split('(')
        .skip(1)
        .filter_map(granted)
        .filter(|who| *who != owner && !NO_OTHERS.contains(who))
        .map(name)
        .collect();
    others.sort();
    others.dedup();
    (!others.is_empty()).then(|| others.join(", "))
}

/// Whom an entry gives a right to this very file. One that cannot be read counts as given to somebody.
fn granted(entry: &str) -> Option<&str> {
    let mut parts = entry.split([';', ')']);
    let (kind, flags) = (parts.next().unwrap_or_default(), parts.next());
    let who = parts.nth(3).filter(|who| !who.is_empty()).unwrap_or("?");
    let denies = matches!(kind, "D" | "OD" | "XD");
    // `IO`: for files in this folder, not for itself. Flags are two letters each.
    let mut flags = flags.unwrap_or_default().as_bytes().chunks(2);
    (!denies && !flags.any(|flag| flag == b"IO")).then_some(who)
}

fn name(who: &str) -> String {
    let known = NAMES.iter().find(|(letters, _)| *letters == who);
    known.map_or(who, |(_, name)| name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ME: &str = "S-1-5-21-1004336348-1177238915-682003330-1001";

    #[test]
    fn the_owner_is_read() {
        for (text, expected) in [
            (format!("O:{ME}D:PAI(A;;FA;;;SY)"), Some(ME)),
            ("O:BAD:(A;;FA;;;BA)".into(), Some("BA")),
            ("O:EDD:(A;;FA;;;BA)".into(), Some("ED")),
            ("O:BA".into(), Some("BA")),
            ("O:".into(), None),
            ("D:(A;;FA;;;BA)".into(), None),
            (String::new(), None),
        ] {
            assert_eq!(owner(&text), expected, "{text}");
        }
    }

    #[test]
    fn everybody_but_owner_and_administrators_is_another() {
        for (list, expected) in [
            ("D:P(A;;FA;;;ME)", None),
            ("D:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)(A;ID;FA;;;ME)", None),
            // Nobody at all may read it.
            ("D:P", None),
            ("D:(A;;FA;;;OW)", None),
            ("D:AI(A;ID;0x1200a9;;;BU)(A;ID;FA;;;ME)", Some("Users")),
            ("D:(A;;FR;;;WD)(A;;FA;;;ME)(A;;FX;;;WD)", Some("Everyone")),
            (
                "D:(A;;FR;;;S-1-5-21-7)(A;;FR;;;AU)",
                Some("Authenticated Users, S-1-5-21-7"),
            ),
            // Denied, or for files below only.
            ("D:(D;;FA;;;WD)(A;OICIIO;GA;;;CO)(A;;FA;;;ME)", None),
            ("D:(A;OICI;GA;;;WD)", Some("Everyone")),
            ("D:NO_ACCESS_CONTROL", Some("Everyone")),
            ("", Some("Everyone")),
            ("D:(A;;", Some("?")),
            (
                r#"D:(XA;;FX;;;S-1-1-7;(@User.Title=="PM"))"#,
                Some("?, S-1-1-7"),
            ),
        ] {
            let text = format!("O:{ME}{}", list.replace("ME", ME));
            assert_eq!(others(&text).as_deref(), expected, "{text}");
        }
        assert_eq!(others("D:P(A;;FA;;;BA)").as_deref(), Some("Everyone"));
    }

    #[test]
    fn what_is_made_for_the_owner_is_the_owners_alone() {
        for who in [ME, "BA"] {
            assert_eq!(others(&format!("O:{who}{}", only(who))), None);
        }
    }
}
