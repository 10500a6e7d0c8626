//! Healing: from any state, what the world becomes once lines hold.

use crate::judge::Winner;
use crate::phone::{Photo, Write};
use crate::wire::Message;
use crate::words::Mid;
use crate::world::{Play, World};

/// A phone hears of a new history, brings its work back, sees what others brought.
const ROUNDS: usize = 3;

/// Returns the world after every phone has been in contact a few times, each message arriving.
///
/// A state with messages on the way heals as the one in which they are lost, which is a state of
/// its own: nothing is returned for it.
pub(crate) fn healed(play: &Play, world: &World) -> Option<World> {
    if !world.network.0.is_empty() {
        return None;
    }
    let mut world = world.clone();
    for _ in 0..ROUNDS {
        for phone in 0..world.phones.len() {
            for mseq in 0..world.phones[phone].photos.len() {
                if world.phones[phone].photos[mseq] == Photo::Waiting {
                    world.carry(phone, &Message::Upload(Mid::new(phone, mseq)), play);
                }
            }
            let request = world.phones[phone].request();
            world.carry(phone, &Message::Request(request), play);
        }
    }
    Some(world)
}

impl World {
    /// Carries a message to the server and the reply back.
    fn carry(&mut self, phone: usize, message: &Message, play: &Play) {
        self.deliver(phone, message, Winner::Later, Write::Whole, &play.rules);
        if let Some((phone, reply)) = self.network.0.pop() {
            self.deliver(phone, &reply, Winner::Later, Write::Whole, &play.rules);
        }
    }
}
