//! *As known then*: the events of one of our own runs, read onward, and the card of its posting as it was known after
//! them (SPEC D4). How they are folded is `model::replay`'s.

use crate::{error::StoreError, history, open::Store, read, sql};
use ghostlight_model::{EventBody, Observation, card::Card, replay::Replay};
use rusqlite::params;

impl Store {
    /// Reads on from what a replay knows, at most `len` events. Knows no more than before at the log's end, and where
    /// the stream has begun a new epoch since.
    pub fn replay_on(&self, mut replay: Replay, len: u32) -> Result<Replay, StoreError> {
        let events = self.reading(|c| {
            let stream = read::stream_of(c, replay.run())?;
            let epoch = replay.epoch().0 as i64;
            let Some((id, _)) = stream.filter(|(_, now)| *now == epoch) else {
                return Ok(Vec::new());
            };
            let wanted = params![id, epoch, replay.known() as i64, len];
            read::collect(c, sql::EVENTS, wanted, |row| {
                read::from_json::<EventBody>(row, 1)
            })
        })?;
        events.iter().for_each(|event| replay.apply(event));
        Ok(replay)
    }

    /// The card of the run's posting as it was known then, on the branch that is checked out now; `None` before the
    /// posting was known.
    pub fn card_then(&self, replay: &Replay) -> Result<Option<Card>, StoreError> {
        let Some(posting) = replay.state().and_then(|state| state.posting) else {
            return Ok(None);
        };
        self.reading(|c| {
            let mut tip = history::tip(c, self.outlines(), posting)?;
            let mut line = tip.line();
            line.retain(|(id, commit)| replay.knows(*id, commit));
            let needs = tip.dag.needs_of(&line);
            tip.fill(c, needs)?;
            let mut line = tip.line();
            line.retain(|(id, commit)| replay.knows(*id, commit));
            let mut cited: Vec<Observation> = Vec::new();
            for change in line.iter().flat_map(|(_, commit)| &commit.changes) {
                if let Some(id) = change.observation {
                    cited.extend(read::observation(c, posting, id)?);
                }
            }
            Ok(Some(replay.card(&line, &cited)))
        })
    }
}
