//! The handle through which a generative function chooses and calls, and what it records. Mistakes
//! with addresses are found here.

use super::GenerativeFunction;
use super::address::{IntoAddress, below, is_whole, within};
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
        let location = here();
        let address = address.into_address();
        let source = self.enter(&address, location);
        let (part, value) = function.trace(source, args.into_tree());
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
        let index = self.next_key();
        self.source.at(address, index)
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

    /// Values that were given at addresses that the function has not.
    fn refuse_strangers(&mut self) {
        let path = &self.source.context.path;
        let method = self.source.context.method;
        let called = format!("`{method}` was called");
        let error = match &self.source.given {
            None => return,
            Some(Part::Array(array)) => {
                let first = self.addresses.first().map_or("..", String::as_str);
                let message = format!("`{path}` is a call, not a choice: it cannot be given");
                Error::new(ErrorKind::Value, message)
                    .at(array.location())
                    .note(called, Some(self.source.context.location))
                    .help(format!("give its choices, as `{path}/{first}`"))
            }
            Some(Part::Record(record)) => {
                let arrays = record.arrays();
                let known = |path: &str| self.addresses.iter().any(|a| within(path, a));
                let Some((stranger, array)) = arrays.iter().find(|(path, _)| !known(path)) else {
                    return;
                };
                let mut all = Vec::new();
                for (address, part) in self.addresses.iter().zip(&self.parts) {
                    match part.choices() {
                        Some(Part::Record(record)) => {
                            all.extend(
                                record
                                    .paths()
                                    .iter()
                                    .map(|below| (below_of(address, below), address)),
                            );
                        }
                        Some(Part::Array(_)) => all.push((address.clone(), address)),
                        None => {}
                    }
                }
                let names: Vec<String> = all.iter().map(|(a, _)| below(path, a)).collect();
                let full = below(path, stranger);
                let error =
                    Error::new(ErrorKind::Value, format!("no choice has the address `{full}`"))
                        .at(array.location())
                        .note(called, Some(self.source.context.location));
                let near = super::address::nearest(&full, names.iter().map(String::as_str));
                let near = near.and_then(|near| names.iter().position(|name| name == near));
                let line = near.and_then(|i| {
                    let at = self.addresses.iter().position(|a| a == all[i].1)?;
                    Some((names[i].clone(), self.lines[at]))
                });
                let error = match line {
                    Some((near, line)) => error.note(format!("`{near}` is chosen"), Some(line)),
                    None => error,
                };
                error.help(suggestion(&full, &names))
            }
        };
        self.fault(error);
    }
}

fn below_of(address: &str, rest: &str) -> String {
    below(address, rest)
}
