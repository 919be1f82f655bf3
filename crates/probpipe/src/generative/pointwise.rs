//! Log-densities of single observations, and which of them is not finite. A choice has one number
//! in a record; here it is taken apart: by lanes, or by the independent parts of its distribution.

use super::GenerativeFunction;
use super::address::below;
use super::census::{Densities, Density};
use super::choice_map::ChoiceMap;
use super::free::Free;
use super::selection::Selection;
use super::source::Source;
use super::subtrace::{ALONE, Subtrace};
use crate::record::Record;
use probpipe_trace::{Array, Error, Loc};

/// The log-densities of choices, of all that there are the wanted ones: each an array over lanes
/// or over the batch shape of its distribution.
pub(crate) fn pointwise<G: GenerativeFunction>(
    function: &G,
    args: &G::Args,
    choices: &ChoiceMap,
    wanted: &Selection,
) -> Result<Record, Error> {
    let mut source = Source::assess(choices.clone().into(), None);
    let notes = Densities::default();
    source.context.densities = Some(notes.clone());
    let (record, _) = function.trace(source, args.clone());
    if let Some(error) = record.score().error() {
        return Err(error.clone());
    }
    let mut found = Record::default();
    for one in apart(&record, &notes.list()) {
        if wanted.contains(&one.address) {
            found.insert(&one.address, one.density);
        }
    }
    Ok(found)
}

/// What is to be said of a place where a log-density is not finite: of the first choice in the
/// order of the run that is to blame, with the first of its rows. Nothing where all are finite.
pub(crate) fn culprit<G: GenerativeFunction>(
    function: &G,
    args: &G::Args,
    numbers: &Record,
    observed: &ChoiceMap,
    latent: &Selection,
) -> Vec<(String, Option<Loc>)> {
    let given = observed.union(&ChoiceMap::from(numbers.clone()));
    let mut source = Source::assess(given.into(), None);
    source.context.free = Free::Onto(latent.clone());
    let notes = Densities::default();
    source.context.densities = Some(notes.clone());
    let (record, _) = function.trace(source, args.clone());
    let all = apart(&record, &notes.list());
    let Some((one, place)) = all.iter().find_map(|one| Some((one, unsound(&one.density)?))) else {
        return Vec::new();
    };
    let at = |array: &Array| {
        // Parts of a choice that depend on each other have one density.
        let place = place.iter().take(array.rank());
        place.fold(array.clone(), |part, &i| part.at(i as isize))
    };
    let index: Vec<String> = place.iter().map(usize::to_string).collect();
    let name = match place.is_empty() {
        true => format!("`{}`", one.address),
        false => format!("`{}[{}]`", one.address, index.join(",")),
    };
    let density = at(&one.density);
    let text = match &one.value {
        None => format!("the factor {name} is {density}"),
        Some(value) => {
            let inferred = latent.contains(&one.address);
            let kind = if inferred { "inferred" } else { "observed" };
            let value = at(value);
            format!("the log-density of {name}, which is {kind}, is {density} where it is {value}")
        }
    };
    let mut said = vec![(text, one.line)];
    let before = all.iter().take_while(|other| other.address != one.address);
    let values: Vec<String> = before
        .filter_map(|other| Some((&other.address, other.value.as_ref()?)))
        .filter(|(_, value)| value.size() <= 8)
        .map(|(address, value)| format!("{address} = {value}"))
        .collect();
    if !values.is_empty() {
        said.push((format!("the choices before it are {}", values.join(", ")), None));
    }
    said
}

/// A choice with its log-densities.
struct Apart {
    address: String,
    /// Nothing of a factor.
    value: Option<Array>,
    density: Array,
    line: Option<Loc>,
}

/// All choices of a run.
fn apart(record: &Subtrace, notes: &[Density]) -> Vec<Apart> {
    let mut all = Vec::new();
    collect(record, "", (notes, false), &mut all);
    all
}

/// Inside of lanes, steps and branches notes are of one run, of which only the line is of use.
fn collect(
    record: &Subtrace,
    path: &str,
    (notes, inside): (&[Density], bool),
    into: &mut Vec<Apart>,
) {
    let own = || if path.is_empty() { ALONE.to_string() } else { path.to_string() };
    match record {
        Subtrace::Choice { value, score } => {
            let address = own();
            let note = notes.iter().find(|note| note.address == address);
            let line = note.map(|note| note.location);
            // A way from real numbers counts in the score besides.
            let sound =
                |note: &&Density| unsound(&note.density).is_some() || unsound(score).is_none();
            let note = note.filter(|_| !inside).filter(sound);
            let density = note.map_or(score, |note| &note.density).clone();
            let value = note.map_or(value, |note| &note.value).clone();
            into.push(Apart { address, value: Some(value), density, line });
        }
        Subtrace::Joint { choices, score } => {
            let first = choices.paths().into_iter().next();
            let address = first.map_or_else(own, |first| below(path, &first));
            let value = choices.arrays().first().map(|(_, array)| (*array).clone());
            into.push(Apart { address, value, density: score.clone(), line: None });
        }
        Subtrace::Factor { score } => {
            into.push(Apart { address: own(), value: None, density: score.clone(), line: None });
        }
        Subtrace::Call { addresses, parts, .. } => {
            for (address, part) in addresses.iter().zip(parts) {
                collect(part, &below(path, address), (notes, inside), into);
            }
        }
        Subtrace::Stack { runs, .. } | Subtrace::Branches { runs, .. } => {
            runs.iter().for_each(|run| collect(run, path, (notes, true), into));
        }
    }
}

/// The place of the first entry that is not finite, of an array with values.
fn unsound(array: &Array) -> Option<Vec<usize>> {
    let finite = array.is_finite().to_vec::<bool>().ok()?;
    let mut flat = finite.iter().position(|finite| !finite)?;
    let mut place = Vec::new();
    for &extent in array.shape().iter().rev() {
        place.push(flat % extent);
        flat /= extent;
    }
    place.reverse();
    Some(place)
}
