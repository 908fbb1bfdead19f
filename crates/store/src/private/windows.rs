//! By the access list, in the system's own words for it ([`super::acl`]).

use super::acl;
use std::{
    ffi::c_void,
    fs::{File, OpenOptions},
    io,
    os::windows::{fs::OpenOptionsExt, io::AsRawHandle},
    path::Path,
    ptr, slice,
};
use windows_sys::Win32::{
    Foundation::LocalFree,
    Security::{
        Authorization::{
            ConvertSecurityDescriptorToStringSecurityDescriptorW,
            ConvertStringSecurityDescriptorToSecurityDescriptorW, SDDL_REVISION_1,
        },
        DACL_SECURITY_INFORMATION, GetKernelObjectSecurity, OWNER_SECURITY_INFORMATION,
        SetKernelObjectSecurity,
    },
    Storage::FileSystem::{FILE_GENERIC_WRITE, READ_CONTROL, WRITE_DAC},
};

pub(super) const REMEDY: &str =
    "take their rights away (icacls FILE /inheritance:r /grant:r YOU:F)";

/// What is asked of a file: who owns it, who may do what.
const ASKED: u32 = OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION;

pub(super) fn create_new(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    // Nobody else opens it as long as this handle is open: whoever could read it would keep that right.
    options.write(true).create_new(true).share_mode(0);
    options.access_mode(FILE_GENERIC_WRITE | READ_CONTROL | WRITE_DAC);
    let file = options.open(path)?;
    let owner = acl::owner(&described(&file)?).map(str::to_owned);
    let owner = owner.ok_or_else(|| io::Error::other("the system does not say who owns it"))?;
    // A disk without access lists refuses: `others` tells then.
    let _ = restrict(&file, &acl::only(&owner));
    Ok(file)
}

pub(super) fn others(file: &File) -> io::Result<Option<String>> {
    Ok(acl::others(&described(file)?))
}

/// The owner and the access list of a file as text (SDDL).
#[expect(unsafe_code, reason = "the system has no other way to ask for it")]
fn described(file: &File) -> io::Result<String> {
    let handle = file.as_raw_handle();
    let mut size = 0;
    // SAFETY: the handle is open, and no byte is written where there is room for none. It fails, and says the size.
    unsafe { GetKernelObjectSecurity(handle, ASKED, ptr::null_mut(), 0, &raw mut size) };
    // As words: a descriptor is aligned to four bytes.
    let mut descriptor = vec![0_u32; (size as usize).div_ceil(4)];
    let descriptor = descriptor.as_mut_ptr().cast::<c_void>();
    // SAFETY: there is room for `size` bytes.
    if unsafe { GetKernelObjectSecurity(handle, ASKED, descriptor, size, &raw mut size) } == 0 {
        return Err(io::Error::last_os_error());
    }
    let (mut text, mut length) = (ptr::null_mut(), 0);
    // SAFETY: the descriptor was filled; the text is made by the system, and freed below.
    let made = unsafe {
        ConvertSecurityDescriptorToStringSecurityDescriptorW(
            descriptor,
            SDDL_REVISION_1,
            ASKED,
            &raw mut text,
            &raw mut length,
        )
    };
    if made == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the text has `length` characters; nobody else knows it.
    let told = unsafe {
        let told = String::from_utf16_lossy(slice::from_raw_parts(text, length as usize));
        LocalFree(text.cast());
        told
    };
    // The length counts the zero behind it.
    Ok(told.trim_end_matches('\0').to_owned())
}

/// Gives a file this access list (SDDL).
#[expect(unsafe_code, reason = "the system has no other way to say it")]
fn restrict(file: &File, list: &str) -> io::Result<()> {
    let text: Vec<u16> = list.encode_utf16().chain([0]).collect();
    let mut descriptor = ptr::null_mut();
    // SAFETY: the text ends with a zero; the descriptor is made by the system, and freed below.
    let made = unsafe {
        ConvertStringSecurityDescriptorToSecurityDescriptorW(
            text.as_ptr(),
            SDDL_REVISION_1,
            &raw mut descriptor,
            ptr::null_mut(),
        )
    };
    if made == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is open, the descriptor was made above, and nobody else knows it.
    unsafe {
        let done =
            SetKernelObjectSecurity(file.as_raw_handle(), DACL_SECURITY_INFORMATION, descriptor);
        let error = io::Error::last_os_error();
        LocalFree(descriptor);
        if done == 0 { Err(error) } else { Ok(()) }
    }
}
