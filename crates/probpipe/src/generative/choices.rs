//! The handle through which a generative function chooses and calls, and what it records. Mistakes
//! with addresses are found here.

use super::GenerativeFunction;
use super::address::{IntoAddress, below, is_whole, nearest, within};
use super::choice_map::suggestion;
use super::source::Source;
use super::subtrace::{Subtrace, total};
use crate::record::Part;
use probpipe_trace::{
    Array, Error, ErrorKind, Flat, IntoTree, Key, Loc, Tree, here, with_location,
};

/// The handle of a generative function: it draws named random choices, and calls other generative
/// functions under names.
///
/// ```
/// use probpipe::prelude::*;
/// let model = generative(|t: &mut Choices| {
///     let level = t.sample("level", Normal::new(0.0, 1.0));
///     // A loop of the host: the addresses are `y/0`, `y/1`, `y/2`.
///     (0..3).map(|i| t.sample(("y", i), Normal::new(&level, 0.5))).collect::<Vec<_>>()
/// });
/// let trace = model.simulate(Key::new(0), ());
/// assert_eq!(trace.choices().addresses(), ["level", "y/0", "y/1", "y/2"]);
/// ```
#[derive(Debug)]
pub struct Choices {
    source: Source,
    addresses: Vec<String>,
    lines: Vec<Loc>,
    parts: Vec<Subtrace>,
    /// How many keys were made.
    keys: u32,
    /// The first mistake.
    error: Option<Error>,
}

impl Choices {
    pub(super) fn new(source: Source) -> Choices {
        let (addresses, lines, parts) = (Vec::new(), Vec::new(), Vec::new());
        Choices { source, addresses, lines, parts, keys: 0, error: None }
    }

    /// The value of the random choice at an address, which has this distribution: of its batch
    /// shape and event shape together.
    #[track_caller]
    pub fn sample<D>(&mut self, address: impl IntoAddress, distribution: D) -> Array
    where
        D: GenerativeFunction<Args = (), Value = Array>,
    {
        self.call(address, distribution, ())
    }

    /// What a generative function gives whose choices lie below an address.
    #[track_caller]
    pub fn call<G: GenerativeFunction>(
        &mut self,
        address: impl IntoAddress,
        function: G,
        args: impl IntoTree<G::Args>,
    ) -> G::Value {
        self.run(address, &function, args.into_tree())
    }

    /// A factor of the density under an address, by its logarithm, which may be an array of terms:
    /// what Stan writes as `target +=`. It is no choice: it has no value, counts in every score
    /// and weight, and no selection has it.
    ///
    /// ```
    /// use probpipe::inference::Target;
    /// use probpipe::{Constraint, ImproperUniform, prelude::*};
    /// // Levels in order whose differences are about 1, which no distribution knows of.
    /// let model = generative(|t: &mut Choices| {
    ///     let ordered = ImproperUniform::new(Constraint::OrderedVector, [], [3]);
    ///     let levels = t.sample("levels", ordered);
    ///     t.factor("steps", Normal::new(1.0, 0.5).log_prob(&levels.diff(1, -1)));
    ///     t.sample("y", Normal::new(levels, 1.0))
    /// });
    /// let observed = ChoiceMap::new([("y", array([0.1, 0.4, 2.0]))]);
    /// let target = Target::of(model, (), &observed)?;
    /// assert_eq!(target.size(), 3);
    /// # Ok::<(), probpipe::Error>(())
    /// ```
    #[track_caller]
    pub fn factor(&mut self, address: impl IntoAddress, log_factor: impl Into<Array>) {
        let (location, address) = (here(), address.into_address());
        self.claim(&address, location);
        let score = total([&log_factor.into()]);
        self.addresses.push(address);
        self.lines.push(location);
        self.parts.push(Subtrace::Factor { score });
    }

    /// [`Choices::call`] of a function that stays where it is.
    #[track_caller]
    pub(super) fn run<G: GenerativeFunction>(
        &mut self,
        address: impl IntoAddress,
        function: &G,
        args: G::Args,
    ) -> G::Value {
        let location = here();
        let address = address.into_address();
        let source = self.enter(&address, location);
        let (part, value) = function.trace(source, args);
        self.addresses.push(address);
        self.lines.push(location);
        self.parts.push(part);
        value
    }

    /// A key for randomness that is no choice: it has no address, no part in the score, and is
    /// another one in every run. Only `simulate`, `importance` and `unzip` have a key to give; for
    /// the others it is an error, since the density would be an estimate.
    #[track_caller]
    pub fn key(&mut self) -> Key {
        let index = self.next_key();
        let drawn = matches!(self.source.context.method, "simulate" | "importance");
        let key = self.source.key.as_ref().filter(|_| drawn).or(self.source.noise.as_ref());
        match key {
            Some(key) => key.reuse().fold_in(index),
            None => {
                let method = self.source.context.method;
                let message = format!("untraced randomness in `{method}`");
                let error = Error::new(ErrorKind::Value, message)
                    .at(here())
                    .note(format!("`{method}` was called"), Some(self.source.context.location))
                    .help("make it a choice with an address; `unzip` takes a key and estimates");
                self.fault(error.clone());
                Key::from_data(Array::invalid(error, here()))
            }
        }
    }

    fn next_key(&mut self) -> u32 {
        self.keys += 1;
        self.keys - 1
    }

    fn fault(&mut self, error: Error) {
        self.error.get_or_insert(error);
    }

    /// Checks an address and gives the source of what is called there.
    #[track_caller]
    fn enter(&mut self, address: &str, location: Loc) -> Source {
        self.claim(address, location);
        let index = self.next_key();
        self.source.at(address, index)
    }

    /// Refuses what is no address, and one that is taken.
    #[track_caller]
    fn claim(&mut self, address: &str, location: Loc) {
        let full = below(&self.source.context.path, address);
        if !is_whole(address) {
            let error = Error::new(ErrorKind::Value, format!("`{full}` is no address"))
                .at(location)
                .help("an address is a name, or names with `/` between them");
            self.fault(error);
        }
        let taken = self.addresses.iter().position(|a| within(a, address) || within(address, a));
        if let Some(at) = taken {
            let other = below(&self.source.context.path, &self.addresses[at]);
            let message = match other == full {
                true => format!("two choices have the address `{full}`"),
                false => format!("`{full}` and `{other}` cannot both be addresses"),
            };
            let error = Error::new(ErrorKind::Value, message)
                .at(location)
                .note("the first was made", Some(self.lines[at]))
                .help("give each an address of its own; in a loop, number them: `(\"y\", i)`");
            self.fault(error);
        }
    }

    /// What was recorded, given what the function gives. Of a run with a mistake all is invalid.
    #[track_caller]
    pub(super) fn finish<R: Tree>(mut self, value: &R) -> Subtrace {
        let location = here();
        self.refuse_strangers();
        let score = total(self.parts.iter().map(Subtrace::score));
        let value = with_location(location, || Flat::of(value).typed().leaves);
        let trace = Subtrace::Call { addresses: self.addresses, parts: self.parts, value, score };
        match self.error {
            Some(error) => trace.map(|_| Array::invalid(error.clone(), location)),
            None => trace,
        }
    }

    /// Refuses values that were given at addresses that the function has not; where the function is
    /// a branch, they may be another one's.
    fn refuse_strangers(&mut self) {
        let path = &self.source.context.path;
        let called = format!("`{}` was called", self.source.context.method);
        match &self.source.given {
            None => {}
            Some(Part::Array(array)) => {
                let first = self.addresses.first().map_or("..", String::as_str);
                let message = format!("`{path}` is a call, not a choice: it cannot be given");
                let error = Error::new(ErrorKind::Value, message)
                    .at(self.source.context.line(path, array))
                    .note(called, Some(self.source.context.location))
                    .help(format!("give its choices, as `{path}/{first}`"));
                self.fault(error);
            }
            Some(Part::Record(record)) => {
                let chosen = || {
                    self.addresses
                        .iter()
                        .zip(&self.parts)
                        .filter(|(_, part)| !matches!(part, Subtrace::Factor { .. }))
                };
                let known = |path: &str| chosen().any(|(a, _)| within(path, a));
                let strangers = record.arrays().into_iter().filter(|(path, _)| !known(path));
                let strangers: Vec<(String, Error)> = strangers
                    .map(|(address, array)| (below(path, &address), array))
                    .map(|(full, array)| (self.source.context.line(&full, array), full))
                    .map(|(line, full)| (full.clone(), self.stranger(&full, line)))
                    .collect();
                match &self.source.context.strangers {
                    Some(notes) => strangers.into_iter().for_each(|one| notes.note(one)),
                    None => strangers.into_iter().for_each(|(_, error)| self.fault(error)),
                }
            }
        }
    }

    /// What is said of a value that was given at an address that there is not.
    fn stranger(&self, full: &str, given: Loc) -> Error {
        let path = &self.source.context.path;
        let mut known: Vec<(String, Loc)> = Vec::new();
        for ((address, part), line) in self.addresses.iter().zip(&self.parts).zip(&self.lines) {
            let address = below(path, address);
            match part.choices() {
                Some(Part::Record(record)) => {
                    known.extend(record.paths().iter().map(|rest| (below(&address, rest), *line)));
                }
                Some(Part::Array(_)) => known.push((address, *line)),
                None => {}
            }
        }
        let names: Vec<String> = known.iter().map(|(name, _)| name.clone()).collect();
        let error = Error::new(ErrorKind::Value, format!("no choice has the address `{full}`"))
            .at(given)
            .note(
                format!("`{}` was called", self.source.context.method),
                Some(self.source.context.location),
            );
        let near = nearest(full, names.iter().map(String::as_str));
        let error = match known.iter().find(|(name, _)| Some(name.as_str()) == near) {
            Some((name, line)) => error.note(format!("`{name}` is chosen"), Some(*line)),
            None => error,
        };
        error.help(suggestion(full, &names))
    }
}
