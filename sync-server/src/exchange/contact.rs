//! What the server tells phones to bring back: the time of an answer, and the state that it was
//! read at, each with a code that only this server can make.

use pocketbook_records::ids::{EnrolmentId, Hex};
use pocketbook_records::time::Millis;
use pocketbook_records::wire::{AsOf, Echo};

use crate::keyring::{Keyring, Purpose};

/// Writes the token of an answer: `<time>.<code>`, good for one enrolment.
pub(super) fn token(keyring: &Keyring, enrolment: EnrolmentId, time: Millis) -> String {
    let code = keyring.code::<8>(Purpose::Contact, &timed(enrolment, time));
    format!("{time}.{}", hex::encode(code))
}

/// Reads the time in a token; none if it was not made here for this enrolment.
pub(super) fn time_of(keyring: &Keyring, enrolment: EnrolmentId, token: &str) -> Option<Millis> {
    let (time, code) = token.split_once('.')?;
    let time = time.parse().ok()?;
    let mut given = [0; 8];
    hex::decode_to_slice(code, &mut given).ok()?;
    let genuine = keyring.verifies(Purpose::Contact, &timed(enrolment, time), &given);
    genuine.then_some(time)
}

fn timed(enrolment: EnrolmentId, time: Millis) -> Vec<u8> {
    [enrolment.as_bytes().as_slice(), &time.to_be_bytes()].concat()
}

/// Makes the code over the state that an answer was read at.
pub(super) fn seal(keyring: &Keyring, asof: &AsOf, tag: Hex<8>) -> Hex<16> {
    Hex(keyring.code(Purpose::Echo, &state(asof.epoch.0, asof.commit.0, tag)))
}

/// Says whether an echo was made here.
pub(super) fn is_genuine(keyring: &Keyring, echo: &Echo) -> bool {
    let bytes = state(echo.epoch.0, echo.commit.0, echo.tag);
    keyring.verifies(Purpose::Echo, &bytes, &echo.mac.0)
}

fn state(epoch: u32, commit: u64, tag: Hex<8>) -> Vec<u8> {
    [
        epoch.to_be_bytes().as_slice(),
        &commit.to_be_bytes(),
        &tag.0,
    ]
    .concat()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::testing::District;

    #[test]
    fn a_time_is_believed_as_it_was_told_and_from_whom_it_was_told_to() {
        let district = District::new();
        let keys = district.server.keyring();
        let [wang, li] = [1, 2].map(|n| EnrolmentId(Uuid::from_u128(n)));
        let told = token(keys, wang, 1_000);

        assert_eq!(time_of(keys, wang, &told), Some(1_000));
        assert_eq!(time_of(keys, li, &told), None);
        let later = told.replacen("1000", "2000", 1);
        for wrong in [later.as_str(), "1000.00", "1000", ""] {
            assert_eq!(time_of(keys, wang, wrong), None, "{wrong}");
        }
    }
}
