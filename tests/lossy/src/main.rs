//! A disk that keeps what was synced, and whatever chance leaves of the rest.
//!
//! `lossy FOLDER` mounts it there, says `mounted`, and obeys one order a line on standard input, answering each with a
//! line; it unmounts at the end of its input. Where there is no FUSE it says `no FUSE here: REASON` and ends well.
//!
//! ```text
//! die KIND N          from the Nth operation of this kind on, everything fails with EIO: the power goes here
//! fail KIND N         the Nth such operation fails with EIO, once; a failed sync forgets what it should have written
//! full N              from the Nth write on there is no room (ENOSPC) until `heal`
//! heal                nothing fails any more
//! cut SEED            what was not synced is lost, torn or kept, as the seed says; then the disk works again
//! lie                 syncs do nothing from now on
//! settle              everything is synced
//! flip SEED FOLDER    flips one bit of a file in this folder, and tells which
//! ```
//!
//! KIND is `write`, `sync`, `name` (create, rename, remove) or `any`.

mod chance;
mod disk;
mod mount;

use std::io::{BufRead, Write};
use std::sync::{Arc, Mutex, PoisonError};

use chance::Chance;
use disk::{Disk, Effect, Kind, Trap};

type Answer<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> Answer<()> {
    let folder = std::env::args_os().nth(1).ok_or("lossy FOLDER")?;
    let disk = Arc::new(Mutex::new(Disk::new()));
    let _mounted = match mount::mount(Arc::clone(&disk), folder.as_ref()) {
        Ok(mounted) => mounted,
        Err(error) => {
            println!("no FUSE here: {error}");
            return Ok(());
        }
    };
    println!("mounted");
    for line in std::io::stdin().lock().lines() {
        let mut disk = disk.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = match obey(&mut disk, &line?) {
            Ok(answer) => answer,
            Err(error) => format!("not obeyed: {error}"),
        };
        println!("{answer}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

fn obey(disk: &mut Disk, line: &str) -> Answer<String> {
    let words: Vec<&str> = line.split(' ').collect();
    match words[..] {
        ["die", kind, nth] => {
            disk.set_trap(Trap::new(Kind::parse(kind)?, nth.parse()?, Effect::Die))
        }
        ["fail", kind, nth] => {
            disk.set_trap(Trap::new(Kind::parse(kind)?, nth.parse()?, Effect::Fail))
        }
        ["full", nth] => disk.set_trap(Trap::new(Kind::Write, nth.parse()?, Effect::Full)),
        ["heal"] => disk.heal(),
        ["lie"] => disk.lie(),
        ["settle"] => disk.settle(),
        ["cut", seed] => return Ok(disk.cut(&mut Chance::new(seed.parse()?))),
        ["flip", seed, folder] => {
            let flipped = disk.flip(&mut Chance::new(seed.parse()?), folder);
            return flipped.ok_or_else(|| format!("nothing to flip in {folder}").into());
        }
        _ => return Err(format!("unknown: {line}").into()),
    }
    Ok("done".to_owned())
}
