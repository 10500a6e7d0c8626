//! Folders of accounts that are copied: to keep them, to put an old one back, to have two phones
//! of one.

#![expect(
    clippy::disallowed_methods,
    reason = "copies are played on the folders of the world"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Device, Phone, lock};
use crate::world::town::{Town, carry_over};

impl Phone {
    /// Returns the app over an account's folder from elsewhere, keys included. It is copied.
    pub fn of(town: &Arc<Town>, name: &str, folder: &Path) -> Self {
        Self::of_on(town, name, "phone", folder)
    }

    /// The same, on a device of that name.
    pub fn of_on(town: &Arc<Town>, name: &str, device: &str, folder: &Path) -> Self {
        let phone = Self::switched_off(town, name, Device::of(town, name, device));
        carry_over(folder, &phone.folder).expect("a copy into the world");
        phone.starts();
        *lock(&phone.user) = phone.store().account().ok().map(|account| account.user);
        phone
    }

    /// Copies the account's folder, keys included, to where [`Self::of`] finds it.
    pub fn is_copied_to(&self, folder: &Path) {
        for (from, to) in [
            (self.folder.join("keys"), "keys"),
            (self.life_folder(), "life-0"),
        ] {
            carry_over(&from, &folder.join(to)).expect("a copy out of the world");
        }
    }

    /// Copies the account's folder, keys included, to another device; both go on.
    pub fn is_copied_onto(&self, device: &str) -> Self {
        let copy = self.is_backed_up(device);
        Self::of_on(&self.town, &self.name, device, &copy)
    }

    /// Makes a backup of the device and returns where it lies.
    pub fn is_backed_up(&self, label: &str) -> PathBuf {
        let copy = self.town.folder().join("copies").join(label);
        self.is_copied_to(&copy);
        copy
    }

    /// The device is set back to a backup of itself; its keystore is not.
    pub fn is_set_back_to(&self, backup: &Path) {
        self.is_killed_then(|folder| {
            fs::remove_dir_all(folder).expect("what the device held");
            carry_over(&backup.join("life-0"), folder).expect("a copy into the world");
        });
        self.starts();
    }
}
