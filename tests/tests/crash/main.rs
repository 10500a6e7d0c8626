//! Power cuts and failing disks: at every change that a scenario makes, on phones and servers.

#![cfg(target_os = "linux")]

mod disk;
mod failing;
mod image;
mod phone;
mod server;
mod sweep;
mod tables;
