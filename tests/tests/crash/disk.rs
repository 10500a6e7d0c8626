//! A disk that is watched: every change this process makes below a folder, in order.
//!
//! The functions of the C library that change files are defined here once more, so that this test
//! program's own win: SQLite's calls and Rust's pass through them alike, and no line of the product
//! knows. They do what they are named for by the system call, note it, and fail when told to.
//! Copies that happen inside the kernel pass unseen; their bytes are read when they are synced.

#![expect(
    unsafe_code,
    clippy::disallowed_methods,
    reason = "the C library's functions are replaced, and files are looked at beside the product"
)]

use std::collections::HashSet;
use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// One change of the disk, or a word of the scenario between two.
#[derive(Debug, Clone)]
pub(crate) enum Op {
    /// Bytes of a file from an offset on; the file is made if there is none.
    Write(PathBuf, u64, Arc<[u8]>),
    /// A file gets this length; it is made if there is none.
    Resize(PathBuf, u64),
    /// A file's content, or a folder's names, are durable from here on.
    Sync(PathBuf),
    /// A file or folder takes another name.
    Rename(PathBuf, PathBuf),
    /// A name goes.
    Remove(PathBuf),
    /// What was done so far has been promised to somebody.
    Promise,
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = |path: &Path| {
            path.file_name()
                .map_or_else(String::new, |name| name.to_string_lossy().into_owned())
        };
        match self {
            Self::Write(path, at, bytes) => {
                write!(f, "{} bytes at {at} of {}", bytes.len(), last(path))
            }
            Self::Resize(path, length) => write!(f, "{} is {length} long", last(path)),
            Self::Sync(path) => write!(f, "{} is synced", last(path)),
            Self::Rename(from, to) => write!(f, "{} becomes {}", last(from), last(to)),
            Self::Remove(path) => write!(f, "{} goes", last(path)),
            Self::Promise => f.write_str("a promise"),
        }
    }
}

/// How the disk fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Failure {
    /// One change fails, all others go well.
    Once,
    /// All changes fail from then on.
    ForGood,
    /// Nothing can grow any more; names can go.
    Full,
    /// Nothing can be changed.
    ReadOnly,
}

struct Watched {
    root: PathBuf,
    ops: Vec<Op>,
    /// Files that were made and into which no write was seen yet.
    blank: HashSet<PathBuf>,
    changes: usize,
    failing: Option<(usize, Failure)>,
}

static WATCHED: Mutex<Vec<Watched>> = Mutex::new(Vec::new());
static WATCHES: AtomicUsize = AtomicUsize::new(0);

fn watched() -> MutexGuard<'static, Vec<Watched>> {
    WATCHED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A folder under watch, until it is dropped.
pub(crate) struct Disk(PathBuf);

impl Disk {
    /// Begins to watch a folder.
    pub(crate) fn watch(root: &Path) -> Self {
        let root = fs::canonicalize(root).expect("the folder is there");
        watched().push(Watched {
            root: root.clone(),
            ops: Vec::new(),
            blank: HashSet::new(),
            changes: 0,
            failing: None,
        });
        WATCHES.fetch_add(1, Ordering::SeqCst);
        Self(root)
    }

    fn with<T>(&self, look: impl FnOnce(&mut Watched) -> T) -> T {
        let mut all = watched();
        let own = all.iter_mut().find(|one| one.root == self.0);
        look(own.expect("it is watched until it is dropped"))
    }

    /// Notes that somebody was told: this is saved.
    pub(crate) fn promise(&self) {
        self.with(|own| own.ops.push(Op::Promise));
    }

    /// Returns all that was noted.
    pub(crate) fn ops(&self) -> Vec<Op> {
        self.with(|own| own.ops.clone())
    }

    /// Returns how many changes there were.
    pub(crate) fn changes(&self) -> usize {
        self.with(|own| own.changes)
    }

    /// Lets the disk fail from its `n`th change on, counted from the begin.
    pub(crate) fn fails(&self, n: usize, how: Failure) {
        self.with(|own| own.failing = Some((n, how)));
    }

    /// The disk is well again.
    pub(crate) fn recovers(&self) {
        self.with(|own| own.failing = None);
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        WATCHES.fetch_sub(1, Ordering::SeqCst);
        watched().retain(|one| one.root != self.0);
    }
}

/// What a call is about to do, as far as a failing disk minds.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Doing {
    Growing,
    Changing,
}

impl Watched {
    fn writes(&mut self, path: PathBuf, at: i64, bytes: Arc<[u8]>) {
        self.blank.remove(&path);
        self.ops.push(Op::Write(path, at.cast_unsigned(), bytes));
    }

    /// Counts a change and returns the error number it fails with.
    fn counts(&mut self, doing: Doing) -> Option<c_int> {
        self.changes += 1;
        let (from, how) = self.failing?;
        match how {
            Failure::Once if self.changes == from => Some(libc::EIO),
            Failure::ForGood if self.changes >= from => Some(libc::EIO),
            Failure::ReadOnly if self.changes >= from => Some(libc::EROFS),
            Failure::Full if self.changes >= from && doing == Doing::Growing => Some(libc::ENOSPC),
            _ => None,
        }
    }
}

/// Does a call that changes something at a path, if the disk lets it, and notes it.
fn does(
    path: impl FnOnce() -> Option<PathBuf>,
    doing: Doing,
    call: impl FnOnce() -> i64,
    note: impl FnOnce(&mut Watched, PathBuf, i64),
) -> i64 {
    if WATCHES.load(Ordering::SeqCst) == 0 {
        return call();
    }
    let path = path().filter(|path| !path.as_os_str().as_bytes().ends_with(b"-shm"));
    // What changes nothing here goes by without the lock: a note may read files itself.
    let Some(path) = path else { return call() };
    let mut all = watched();
    let Some(own) = all.iter_mut().find(|one| path.starts_with(&one.root)) else {
        drop(all);
        return call();
    };
    if let Some(error) = own.counts(doing) {
        // SAFETY: the C library's error number of this thread.
        unsafe { *libc::__errno_location() = error };
        return -1;
    }
    let result = call();
    if result >= 0 {
        note(own, path, result);
    }
    result
}

/// What the C library's functions return.
fn returned<T: TryFrom<i64> + From<i8>>(result: i64) -> T {
    T::try_from(result).unwrap_or_else(|_| T::from(-1))
}

/// The path of an open file; none of what is no file.
fn path_of(fd: c_int) -> Option<PathBuf> {
    let link = format!("/proc/self/fd/{fd}");
    let path = fs::read_link(link).ok()?;
    path.is_absolute().then_some(path)
}

/// # Safety
/// `name` is a C string.
unsafe fn path_at(name: *const c_char) -> PathBuf {
    // SAFETY: as promised above.
    let name = unsafe { CStr::from_ptr(name) };
    PathBuf::from(OsStr::from_bytes(name.to_bytes()))
}

/// # Safety
/// `bytes` points to `count` bytes.
unsafe fn noted(bytes: *const c_void, count: i64) -> Arc<[u8]> {
    let count = usize::try_from(count).unwrap_or(0);
    // SAFETY: as promised above.
    Arc::from(unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), count) })
}

/// # Safety
/// As `pwrite(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite64(fd: c_int, bytes: *const c_void, count: usize, at: i64) -> isize {
    // SAFETY: the caller's arguments, passed on.
    let call = || unsafe { libc::syscall(libc::SYS_pwrite64, fd, bytes, count, at) };
    let note = |own: &mut Watched, path, written| {
        // SAFETY: so many bytes were just written from there.
        own.writes(path, at, unsafe { noted(bytes, written) });
    };
    returned(does(|| path_of(fd), Doing::Growing, call, note))
}

/// # Safety
/// As `write(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn write(fd: c_int, bytes: *const c_void, count: usize) -> isize {
    // SAFETY: the caller's arguments, passed on.
    let call = || unsafe { libc::syscall(libc::SYS_write, fd, bytes, count) };
    let note = |own: &mut Watched, path, written| {
        // SAFETY: asks where the file stands.
        let end = unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) };
        // SAFETY: so many bytes were just written from there.
        own.writes(path, end - written, unsafe { noted(bytes, written) });
    };
    returned(does(|| path_of(fd), Doing::Growing, call, note))
}

/// # Safety
/// As `ftruncate(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn ftruncate64(fd: c_int, length: i64) -> c_int {
    // SAFETY: the caller's arguments, passed on.
    let call = || unsafe { libc::syscall(libc::SYS_ftruncate, fd, length) };
    let note = |own: &mut Watched, path, _| {
        own.ops.push(Op::Resize(path, length.cast_unsigned()));
    };
    returned(does(|| path_of(fd), Doing::Changing, call, note))
}

fn syncs(fd: c_int, number: i64) -> c_int {
    // SAFETY: the caller's argument, passed on.
    let call = || unsafe { libc::syscall(number, fd) };
    let note = |own: &mut Watched, path: PathBuf, _| {
        if own.blank.contains(&path)
            && let Ok(copied) = fs::read(&path)
        {
            own.writes(path.clone(), 0, copied.into());
        }
        own.ops.push(Op::Sync(path));
    };
    returned(does(|| path_of(fd), Doing::Changing, call, note))
}

/// # Safety
/// As `fsync(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    syncs(fd, libc::SYS_fsync)
}

/// # Safety
/// As `fdatasync(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    syncs(fd, libc::SYS_fdatasync)
}

/// # Safety
/// As `rename(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    let here = libc::AT_FDCWD;
    // SAFETY: the caller's arguments, passed on.
    let call = || unsafe { libc::syscall(libc::SYS_renameat2, here, from, here, to, 0) };
    let note = |own: &mut Watched, from, _| {
        // SAFETY: the caller's argument is a C string.
        own.ops.push(Op::Rename(from, unsafe { path_at(to) }));
    };
    // SAFETY: the caller's argument is a C string.
    let path = || Some(unsafe { path_at(from) });
    returned(does(path, Doing::Changing, call, note))
}

/// # Safety
/// As `unlink(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn unlink(name: *const c_char) -> c_int {
    // SAFETY: the caller's argument, passed on.
    let call = || unsafe { libc::syscall(libc::SYS_unlinkat, libc::AT_FDCWD, name, 0) };
    // SAFETY: the caller's argument is a C string.
    let path = || Some(unsafe { path_at(name) });
    let note = |own: &mut Watched, path, _| own.ops.push(Op::Remove(path));
    returned(does(path, Doing::Changing, call, note))
}

/// # Safety
/// As `open(2)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn open64(name: *const c_char, flags: c_int, mode: libc::mode_t) -> c_int {
    // SAFETY: the caller's arguments, passed on.
    let call = || unsafe { libc::syscall(libc::SYS_openat, libc::AT_FDCWD, name, flags, mode) };
    let path = || {
        // SAFETY: the caller's argument is a C string.
        let path = (flags & (libc::O_CREAT | libc::O_TRUNC) != 0).then(|| unsafe { path_at(name) });
        path.filter(|path| flags & libc::O_TRUNC != 0 || !path.exists())
    };
    let note = |own: &mut Watched, path: PathBuf, _| {
        own.blank.insert(path.clone());
        own.ops.push(Op::Resize(path, 0));
    };
    returned(does(path, Doing::Growing, call, note))
}
