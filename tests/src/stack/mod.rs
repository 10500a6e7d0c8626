//! The real stack: the server in a process of its own, and a real network that fails, on loopback
//! and in real time.
//!
//! Stories and simulations play their surroundings ([`crate::world`]), so that a seed repeats them.
//! What is here cannot be repeated to the byte, and shows what no played surroundings can: that
//! processes, sockets, TLS and disks do what the played ones do.
//!
//! - [`district`]: the server's process, started, told, killed and ended.
//! - [`certificate`]: what the server shows, and phones know it by.
//! - [`link`]: a TCP proxy before the server, slow or broken as somebody wants it; [`faults`]: what
//!   may befall the bytes of a connection on it.
//! - [`device`]: a folder of this machine as a phone; [`hands`]: what a worker does with it.
//! - [`outcomes`]: what became of work, counted.
//! - [`folders`]: what bytes really lie on the disk. [`screen`]: what whoever watches sees.

pub mod certificate;
pub mod device;
pub mod district;
pub mod faults;
pub mod folders;
pub mod hands;
pub mod link;
pub mod outcomes;
pub mod screen;

use std::error::Error;

/// Whatever ends a run early; its text is for the person who watches.
pub type Result<T> = std::result::Result<T, Box<dyn Error + Send + Sync>>;
