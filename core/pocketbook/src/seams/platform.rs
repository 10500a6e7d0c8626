//! What the phone tells about itself.

/// Knows the phone.
pub trait Platform: Send + Sync {
    /// Tells how things stand at this moment.
    fn facts(&self) -> Facts;
}

/// How things stand on the phone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts {
    /// What it is connected to.
    pub network: Network,
    /// Space left for files, if known.
    pub free_bytes: Option<u64>,
    /// Charge of the battery, if known and if not being charged.
    pub battery_percent: Option<u8>,
    /// Whether someone is looking.
    pub is_foreground: bool,
}

/// What the phone is connected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// Nothing: sending is not tried.
    None,
    /// A line that costs by the byte.
    Metered,
    /// A line that does not.
    Unmetered,
}
