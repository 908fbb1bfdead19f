//! Files that only their owner can read: tokens (SPEC C13).
//!
//! On Unix the mode says who can, on Windows the access list. Not every disk keeps either, so whoever is about to write
//! a secret asks [`others`] first. Administrators, and what they run, get at every file; they do not count.

#[cfg(unix)]
#[path = "private/unix.rs"]
mod system;
#[cfg(windows)]
#[path = "private/windows.rs"]
mod system;

#[cfg(any(windows, test))]
mod acl;

use std::{fs::File, io, path::Path};

/// How a person takes the others' right away.
pub const REMEDY: &str = system::REMEDY;

/// Makes a file to write into that only its owner can read. Where the disk keeps no such rights there is one all the
/// same; [`others`] tells.
///
/// # Errors
/// What the system says; also if there is such a file.
pub fn create_new(path: &Path) -> io::Result<File> {
    system::create_new(path)
}

/// Who besides its owner can read or change a file, as a person would look for it; `None`: nobody.
///
/// # Errors
/// What the system says.
pub fn others(file: &File) -> io::Result<Option<String>> {
    system::others(file)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn only_the_owner_reads_what_is_made_here() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        let mut file = create_new(&path).unwrap();
        assert_eq!(others(&file).unwrap(), None);
        file.write_all(b"secret").unwrap();
        drop(file);
        let mut file = File::open(&path).unwrap();
        assert_eq!(others(&file).unwrap(), None);
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "secret");
        let again = create_new(&path).unwrap_err();
        assert_eq!(again.kind(), io::ErrorKind::AlreadyExists);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_says_by_what() {
        use std::{fs, os::unix::fs::PermissionsExt};
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        drop(create_new(&path).unwrap());
        for (mode, told) in [
            (0o600, None),
            (0o400, None),
            (0o640, Some("mode 640")),
            (0o602, Some("mode 602")),
        ] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let file = File::open(&path).unwrap();
            assert_eq!(others(&file).unwrap().as_deref(), told);
        }
    }
}
