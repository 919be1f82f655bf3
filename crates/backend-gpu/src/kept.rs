//! What was made once and may be asked for again: all that somebody uses, and of the rest what was
//! asked for last.

use rustc_hash::FxHashMap;
use std::hash::Hash;
use std::sync::Arc;

/// So many that nobody uses are kept. A pipeline of a software device takes some megabytes.
const IDLE: usize = 256;

/// Things by their keys.
#[derive(Debug)]
pub(crate) struct Kept<K, T> {
    /// With the time at which each was asked for last.
    things: FxHashMap<K, (Arc<T>, u64)>,
    time: u64,
    /// Where there are as many, it is looked for those that nobody uses.
    look_at: usize,
}

impl<K, T> Default for Kept<K, T> {
    fn default() -> Kept<K, T> {
        Kept { things: FxHashMap::default(), time: 0, look_at: 2 * IDLE }
    }
}

impl<K: Hash + Eq, T> Kept<K, T> {
    /// What was made for a key.
    pub fn get(&mut self, key: &K) -> Option<Arc<T>> {
        self.time += 1;
        let (thing, time) = self.things.get_mut(key)?;
        *time = self.time;
        Some(thing.clone())
    }

    /// Keeps what was made for a key.
    pub fn insert(&mut self, key: K, thing: Arc<T>) {
        self.time += 1;
        self.things.insert(key, (thing, self.time));
        if self.things.len() >= self.look_at {
            self.forget();
            self.look_at = self.things.len() + IDLE;
        }
    }

    /// Lets go of all but the last of those that nobody uses.
    fn forget(&mut self) {
        let idle = |thing: &Arc<T>| Arc::strong_count(thing) == 1;
        let mut times: Vec<u64> =
            self.things.values().filter(|(thing, _)| idle(thing)).map(|&(_, time)| time).collect();
        times.sort_unstable();
        let Some(&oldest) = times.len().checked_sub(IDLE).and_then(|first| times.get(first)) else {
            return;
        };
        self.things.retain(|_, (thing, time)| *time >= oldest || !idle(thing));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_used_and_what_was_asked_for_last_stays() {
        let mut kept = Kept::default();
        let used: Vec<Arc<usize>> = (0..1000).map(Arc::new).collect();
        for i in 0..5000 {
            let thing = used.get(i).map_or_else(|| Arc::new(i), Arc::clone);
            kept.insert(i, thing);
            assert!(i < 1500 || kept.get(&1500).is_some(), "it is asked for all the time");
        }
        assert!((0..1000).all(|i| kept.get(&i).is_some()));
        assert!(kept.get(&4999).is_some() && kept.get(&2000).is_none());
        assert!(kept.things.len() <= 1000 + 2 * IDLE, "{}", kept.things.len());
    }
}
