//! Bad input gets a clear answer and loses nothing.
//!
//! Tables of what may arrive, against the real router and the real store of a phone. Each line
//! names what is sent and the answer that it must get; each test asserts that nothing was lost or
//! recorded by it. A new table is walked by [`table::walk`] and noted there.

mod bodies;
mod credentials;
mod cursors;
mod desk;
mod envelope;
mod imports;
mod late_content;
mod mutations;
mod names;
mod phone_disk;
mod phone_files;
mod phone_line;
mod photos;
mod queries;
mod scanned;
mod server_disk;
mod stage;
mod steps;
mod table;
mod uploads;
mod values;
