//! The world: a server, phones, what is between them, and everything that may happen next.

use stateright::{Model, Property};

use crate::invariants;
use crate::judge::Winner;
use crate::phone::{Phone, Photo, Write};
use crate::rules::Rules;
use crate::scene::Scene;
use crate::server::Server;
use crate::wire::{Message, Network};
use crate::words::{EDITS, Mid, Mids, PHONES, Scopes};

/// All that is the case.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct World {
    /// The centre.
    pub server: Server,
    /// The leaves.
    pub phones: Vec<Phone>,
    /// What is on the way.
    pub network: Network,
    /// What the author of each value was shown, or had written before; only invariants ask.
    pub shown: [Mids; 1 + PHONES * EDITS],
    /// Mutations whose receipt was lost before their author had it; only invariants ask.
    pub unheard: Mids,
    /// How often an admin may still grant or revoke.
    pub steps_left: u8,
    /// How often the database may still be backed up.
    pub backups_left: u8,
    /// How often a backup may still be restored.
    pub restores_left: u8,
}

/// What may happen. Phones, scopes and messages are named by their place.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[expect(
    missing_docs,
    reason = "the fields are the places, and the enums below"
)]
pub enum Action {
    /// Somebody opens a record on a phone.
    Open { phone: usize, scope: usize },
    /// She saves an edit of what the screen shows, however old that is.
    Edit { phone: usize, camera: Camera },
    /// She decides the review that the screen shows.
    Decide { phone: usize },
    /// A phone sends what waits, and asks for news.
    Send { phone: usize },
    /// A phone sends the photo of a mutation.
    Upload { phone: usize, mseq: usize },
    /// A message arrives.
    Deliver {
        at: usize,
        copies: Copies,
        winner: Winner,
        write: Write,
    },
    /// A message is lost.
    Lose { at: usize },
    /// A phone drops the file of a photo.
    Drop { phone: usize, mseq: usize },
    /// An admin gives a phone a scope, or takes it away.
    Grant { phone: usize, scope: usize },
    /// The database is backed up.
    Backup,
    /// The backup takes the place of the database.
    Restore,
}

/// Whether an edit has a photo.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Camera {
    /// It has none.
    Off,
    /// One is taken.
    On,
}

const CAMERAS: [Camera; 2] = [Camera::Off, Camera::On];

/// How often a message arrives.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Copies {
    /// Once.
    One,
    /// It is still on the way afterwards.
    More,
}

impl World {
    /// Returns what becomes of the world by an action.
    fn after(&self, action: Action, rules: &Rules) -> Self {
        let mut world = self.clone();
        match action {
            Action::Open { phone, scope } => {
                world.phones[phone].screen = self.phones[phone].view(scope, rules);
            }
            Action::Edit { phone, camera } => world.save(phone, camera, Mids::default(), rules),
            Action::Decide { phone } => {
                let shown = self.phones[phone].screen;
                let candidates = shown.map_or(Mids::default(), |screen| screen.review);
                world.save(phone, Camera::Off, candidates, rules);
            }
            Action::Send { phone } => {
                let request = self.phones[phone].request();
                world.network.put(phone, Message::Request(request));
            }
            Action::Upload { phone, mseq } => {
                let photo = Mid::new(phone, mseq);
                world.network.put(phone, Message::Upload(photo));
            }
            Action::Deliver {
                at,
                copies,
                winner,
                write,
            } => {
                if copies == Copies::One {
                    world.network.0.remove(at);
                }
                let (phone, message) = &self.network.0[at];
                world.deliver(*phone, message, winner, write, rules);
            }
            Action::Lose { at } => {
                world.network.0.remove(at);
            }
            Action::Drop { phone, mseq } => world.phones[phone].photos[mseq] = Photo::Dropped,
            Action::Grant { phone, scope } => {
                world.steps_left -= 1;
                world.server.toggle_grant(phone, scope);
            }
            Action::Backup => {
                world.backups_left -= 1;
                world.server.backup = self.server.database;
            }
            Action::Restore => {
                world.restores_left -= 1;
                let own = self.phones.iter().flat_map(|phone| phone.own).flatten();
                let unheard = own.filter(|own| own.receipt.is_none());
                world.unheard = self.unheard.and(unheard.map(|own| own.mutation.mid));
                world.server.restore(rules);
            }
        }
        world
    }

    fn save(&mut self, phone: usize, camera: Camera, decides: Mids, rules: &Rules) {
        let author = &mut self.phones[phone];
        let Some(screen) = author.screen else {
            return;
        };
        let mid = Mid::new(phone, author.authored());
        let own = author.written[screen.scope];
        self.shown[mid.index()] = decides.with(own).and([screen.value]);
        let is_covered = self.server.database.grants[phone].has(screen.scope);
        author.save(mid, screen, decides, is_covered, rules);
        if camera == Camera::On {
            author.photos[mid.mseq()] = Photo::Waiting;
        }
    }

    /// Hands a message over, and puts the reply on the way if there is one.
    pub(crate) fn deliver(
        &mut self,
        phone: usize,
        message: &Message,
        winner: Winner,
        write: Write,
        rules: &Rules,
    ) {
        match message {
            Message::Request(request) => {
                let answer = self.server.exchange(phone, request, winner, rules);
                self.network.put(phone, Message::Answer(answer));
            }
            Message::Answer(answer) => self.phones[phone].receive(answer, write, rules),
            Message::Upload(photo) => {
                let commit = self.server.store(*photo);
                self.network.put(phone, Message::Stored(*photo, commit));
            }
            Message::Stored(photo, commit) => self.phones[phone].stored(*photo, *commit, rules),
        }
    }
}

/// A scene under rules: what the checker searches.
#[derive(Clone, Copy, Debug)]
pub struct Play {
    /// Who takes part and how much may happen.
    pub scene: Scene,
    /// What protects them.
    pub rules: Rules,
}

impl Play {
    fn phone_actions(&self, world: &World, phone: usize, actions: &mut Vec<Action>) {
        let (scene, leaf) = (&self.scene, &world.phones[phone]);
        if leaf.authored() < scene.edits[phone] {
            let scopes = 0..scene.scopes;
            actions.extend(scopes.map(|scope| Action::Open { phone, scope }));
            let cameras = if scene.photos {
                &CAMERAS[..]
            } else {
                &CAMERAS[..1]
            };
            let edits = cameras.iter().map(|camera| Action::Edit {
                phone,
                camera: *camera,
            });
            actions.extend(edits.filter(|_| leaf.screen.is_some()));
            if scene.decides && leaf.screen.is_some_and(|screen| !screen.review.is_empty()) {
                actions.push(Action::Decide { phone });
            }
        }
        let has_room = self.has_room(world, phone);
        if has_room {
            actions.push(Action::Send { phone });
        }
        for (mseq, photo) in leaf.photos.iter().enumerate() {
            if *photo == Photo::Waiting && has_room {
                actions.push(Action::Upload { phone, mseq });
            }
            if leaf.may_drop(mseq, &self.rules) {
                actions.push(Action::Drop { phone, mseq });
            }
        }
    }

    fn has_room(&self, world: &World, phone: usize) -> bool {
        world.network.count(phone) < self.scene.in_flight
    }

    /// A message may be lost or arrive, once or more often; where clocks or a crash have a say,
    /// each of their ways is tried.
    fn network_actions(&self, world: &World, actions: &mut Vec<Action>) {
        for (at, (phone, message)) in world.network.0.iter().enumerate() {
            actions.push(Action::Lose { at });
            let (is_answer, has_reply, has_work) = match message {
                Message::Request(request) => (false, true, !request.is_idle()),
                Message::Upload(_) => (false, true, false),
                Message::Answer(_) => (true, false, false),
                Message::Stored(..) => (false, false, false),
            };
            let may_stay = !has_reply || self.has_room(world, *phone);
            let may_tear = is_answer && !self.rules.cursor_moves_with_page;
            for copies in [Copies::One, Copies::More] {
                for winner in [Winner::Later, Winner::Stored] {
                    for write in [Write::Whole, Write::Torn] {
                        let may_be = (may_stay || copies == Copies::One)
                            && (has_work || winner == Winner::Later)
                            && (may_tear || write == Write::Whole);
                        let deliver = Action::Deliver {
                            at,
                            copies,
                            winner,
                            write,
                        };
                        actions.extend(may_be.then_some(deliver));
                    }
                }
            }
        }
    }
}

impl Model for Play {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        let grants = Scopes::first(self.scene.scopes);
        vec![World {
            server: Server::new(grants),
            phones: vec![Phone::new(grants); self.scene.edits.len()],
            network: Network::default(),
            shown: Default::default(),
            unheard: Mids::default(),
            steps_left: self.scene.steps,
            backups_left: self.scene.backups,
            restores_left: self.scene.restores,
        }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        for phone in 0..world.phones.len() {
            self.phone_actions(world, phone, actions);
        }
        self.network_actions(world, actions);
        if world.steps_left > 0 {
            actions.extend((0..self.scene.scopes).map(|scope| Action::Grant { phone: 0, scope }));
        }
        if world.backups_left > 0 && world.server.backup != world.server.database {
            actions.push(Action::Backup);
        }
        if world.restores_left > 0 {
            actions.push(Action::Restore);
        }
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        Some(world.after(action, &self.rules))
    }

    fn properties(&self) -> Vec<Property<Self>> {
        invariants::all()
    }
}
