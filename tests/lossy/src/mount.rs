//! The disk as FUSE shows it. Nothing is cached by the kernel, so that what was lost is not seen any more.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fuser::{
    BackgroundSession, BsdFileFlags, Config, Errno, FileAttr, FileHandle, FileType, Filesystem,
    FopenFlags, Generation, INodeNo, LockOwner, MountOption, OpenFlags, RenameFlags, ReplyAttr,
    ReplyCreate, ReplyData, ReplyDirectory, ReplyEmpty, ReplyEntry, ReplyOpen, ReplyStatfs,
    ReplyWrite, Request, TimeOrNow, WriteFlags, spawn_mount,
};

use crate::disk::{Change, Content, Disk, Fault, Node};

const UNCACHED: Duration = Duration::ZERO;
const BLOCK: u32 = 4096;
const BLOCKS: u64 = 1 << 20;
const HANDLE: FileHandle = FileHandle(0);

/// Mounts the disk; it is unmounted when the session is dropped.
pub fn mount(disk: Arc<Mutex<Disk>>, folder: &Path) -> std::io::Result<BackgroundSession> {
    let mut config = Config::default();
    config.mount_options = vec![MountOption::FSName("lossy".to_owned())];
    spawn_mount(Mounted(disk), folder, &config)
}

struct Mounted(Arc<Mutex<Disk>>);

impl Mounted {
    fn disk(&self) -> MutexGuard<'_, Disk> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl From<Fault> for Errno {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Io => Self::EIO,
            Fault::NoRoom => Self::ENOSPC,
            Fault::Missing => Self::ENOENT,
            Fault::NotEmpty => Self::ENOTEMPTY,
        }
    }
}

fn attributes(ino: u64, node: &Node, request: &Request) -> FileAttr {
    let (kind, size) = match &node.content {
        Content::File(file) => (FileType::RegularFile, file.now.len() as u64),
        Content::Folder(_) => (FileType::Directory, 0),
    };
    FileAttr {
        ino: INodeNo(ino),
        size,
        blocks: size.div_ceil(512),
        atime: UNIX_EPOCH,
        mtime: UNIX_EPOCH,
        ctime: UNIX_EPOCH,
        crtime: UNIX_EPOCH,
        kind,
        perm: (node.mode & 0o7777) as u16,
        nlink: 1,
        uid: request.uid(),
        gid: request.gid(),
        rdev: 0,
        blksize: BLOCK,
        flags: 0,
    }
}

fn entry(disk: &Disk, found: Result<u64, Fault>, request: &Request, reply: ReplyEntry) {
    let found = found.and_then(|ino| Ok((ino, disk.node(ino)?)));
    match found {
        Ok((ino, node)) => {
            let attributes = attributes(ino, node, request);
            reply.entry(&UNCACHED, &attributes, Generation(0));
        }
        Err(fault) => reply.error(fault.into()),
    }
}

fn done(result: Result<(), Fault>, reply: ReplyEmpty) {
    match result {
        Ok(()) => reply.ok(),
        Err(fault) => reply.error(fault.into()),
    }
}

impl Filesystem for Mounted {
    fn lookup(&self, request: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEntry) {
        let disk = self.disk();
        entry(&disk, disk.find(parent.0, name), request, reply);
    }

    fn getattr(&self, request: &Request, ino: INodeNo, _: Option<FileHandle>, reply: ReplyAttr) {
        match self.disk().node(ino.0) {
            Ok(node) => reply.attr(&UNCACHED, &attributes(ino.0, node, request)),
            Err(fault) => reply.error(fault.into()),
        }
    }

    fn setattr(
        &self,
        request: &Request,
        ino: INodeNo,
        mode: Option<u32>,
        _: Option<u32>,
        _: Option<u32>,
        size: Option<u64>,
        _: Option<TimeOrNow>,
        _: Option<TimeOrNow>,
        _: Option<SystemTime>,
        _: Option<FileHandle>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<SystemTime>,
        _: Option<BsdFileFlags>,
        reply: ReplyAttr,
    ) {
        let mut disk = self.disk();
        let resized = size.map(|size| disk.change(ino.0, Change::Resize(size as usize)));
        let moded = mode.map(|mode| disk.set_mode(ino.0, mode));
        let set = resized.into_iter().chain(moded).collect::<Result<(), _>>();
        match set.and_then(|()| disk.node(ino.0)) {
            Ok(node) => reply.attr(&UNCACHED, &attributes(ino.0, node, request)),
            Err(fault) => reply.error(fault.into()),
        }
    }

    fn mkdir(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _umask: u32,
        reply: ReplyEntry,
    ) {
        let mut disk = self.disk();
        let made = disk.make(parent.0, name, mode, true);
        entry(&disk, made, request, reply);
    }

    fn create(
        &self,
        request: &Request,
        parent: INodeNo,
        name: &OsStr,
        mode: u32,
        _umask: u32,
        _flags: i32,
        reply: ReplyCreate,
    ) {
        let mut disk = self.disk();
        let made = disk.make(parent.0, name, mode, false);
        let made = made.and_then(|ino| Ok((ino, attributes(ino, disk.node(ino)?, request))));
        match made {
            Ok((ino, attributes)) => {
                disk.count_opened(ino, true);
                let flags = FopenFlags::FOPEN_DIRECT_IO;
                reply.created(&UNCACHED, &attributes, Generation(0), HANDLE, flags);
            }
            Err(fault) => reply.error(fault.into()),
        }
    }

    fn unlink(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(self.disk().remove(parent.0, name), reply);
    }

    fn rmdir(&self, _: &Request, parent: INodeNo, name: &OsStr, reply: ReplyEmpty) {
        done(self.disk().remove(parent.0, name), reply);
    }

    fn rename(
        &self,
        _: &Request,
        parent: INodeNo,
        name: &OsStr,
        new_parent: INodeNo,
        new_name: &OsStr,
        _: RenameFlags,
        reply: ReplyEmpty,
    ) {
        if parent != new_parent {
            return reply.error(Errno::EXDEV);
        }
        done(self.disk().rename(parent.0, name, new_name), reply);
    }

    fn open(&self, _: &Request, ino: INodeNo, _: OpenFlags, reply: ReplyOpen) {
        let mut disk = self.disk();
        match disk.node(ino.0) {
            Ok(_) => {
                disk.count_opened(ino.0, true);
                reply.opened(HANDLE, FopenFlags::FOPEN_DIRECT_IO);
            }
            Err(fault) => reply.error(fault.into()),
        }
    }

    fn release(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        _: OpenFlags,
        _: Option<LockOwner>,
        _: bool,
        reply: ReplyEmpty,
    ) {
        self.disk().count_opened(ino.0, false);
        reply.ok();
    }

    fn read(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        size: u32,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyData,
    ) {
        let disk = self.disk();
        if let Err(fault) = disk.node(ino.0) {
            return reply.error(fault.into());
        }
        let bytes = disk.file(ino.0).unwrap_or_default();
        let start = bytes.len().min(offset as usize);
        reply.data(&bytes[start..bytes.len().min(start + size as usize)]);
    }

    fn write(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        data: &[u8],
        _: WriteFlags,
        _: OpenFlags,
        _: Option<LockOwner>,
        reply: ReplyWrite,
    ) {
        let change = Change::Write(offset as usize, data.to_vec());
        match self.disk().change(ino.0, change) {
            Ok(()) => reply.written(data.len() as u32),
            Err(fault) => reply.error(fault.into()),
        }
    }

    fn fsync(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        done(self.disk().sync(ino.0), reply);
    }

    fn fsyncdir(&self, _: &Request, ino: INodeNo, _: FileHandle, _: bool, reply: ReplyEmpty) {
        done(self.disk().sync(ino.0), reply);
    }

    fn readdir(
        &self,
        _: &Request,
        ino: INodeNo,
        _: FileHandle,
        offset: u64,
        mut reply: ReplyDirectory,
    ) {
        let disk = self.disk();
        let Some(names) = disk.names(ino.0) else {
            return reply.error(Errno::ENOENT);
        };
        let own = [(OsStr::new("."), ino.0), (OsStr::new(".."), ino.0)];
        let names = names.iter().map(|(name, node)| (name.as_os_str(), *node));
        let all = own.into_iter().chain(names).enumerate();
        for (place, (name, node)) in all.skip(offset as usize) {
            let kind = match disk.names(node) {
                Some(_) => FileType::Directory,
                None => FileType::RegularFile,
            };
            if reply.add(INodeNo(node), place as u64 + 1, kind, name) {
                break;
            }
        }
        reply.ok();
    }

    fn statfs(&self, _: &Request, _: INodeNo, reply: ReplyStatfs) {
        reply.statfs(BLOCKS, BLOCKS, BLOCKS, BLOCKS, BLOCKS, BLOCK, 255, BLOCK);
    }
}
