//! What an operating system says of a file, in words for people; its own number stands behind them.

use std::io;

/// Why something could not be done with a file or folder, as the end of a sentence that names it.
pub fn words(error: &io::Error) -> String {
    use io::ErrorKind as Kind;
    let words = match error.kind() {
        Kind::NotFound => "there is no such file or folder",
        Kind::PermissionDenied => "this account has no right to it",
        Kind::AlreadyExists => "something of that name is there already",
        Kind::NotADirectory => "a part of this path is a file, not a folder",
        Kind::IsADirectory => "this is a folder, not a file",
        Kind::StorageFull | Kind::QuotaExceeded => "the disk is full",
        Kind::ReadOnlyFilesystem => "nothing can be written on this disk",
        Kind::InvalidFilename => "no file can have this name here",
        _ => return own_words(error),
    };
    match error.raw_os_error() {
        Some(number) => format!("{words} (system error {number})"),
        None => words.to_owned(),
    }
}

/// What the system itself says, where we have no better words; its number is called what it is.
pub fn own_words(error: &dyn std::error::Error) -> String {
    error.to_string().replace("(os error ", "(system error ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_troubles_have_words_and_others_keep_the_systems() {
        assert_eq!(
            words(&io::ErrorKind::NotFound.into()),
            "there is no such file or folder"
        );
        assert_eq!(words(&io::Error::other("odd")), "odd");
        let windows = io::Error::other("Host not found. (os error 11001)");
        assert_eq!(words(&windows), "Host not found. (system error 11001)");
        let numbered = io::Error::from_raw_os_error(2);
        if numbered.kind() == io::ErrorKind::NotFound {
            assert!(words(&numbered).ends_with("(system error 2)"));
        }
    }
}
