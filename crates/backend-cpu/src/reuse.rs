//! Results in the memory of arguments that are given up: a second form of the program, compiled
//! when arguments have been given up twice, for those that were. The first form stays as it is.

use crate::jit::{self, Machine};
use probpipe_lowering::{Donation, Place, Program, donate, donations};
use probpipe_trace::{Given, Result, Value};
use smallvec::SmallVec;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// Values that results are written into, and which.
pub(crate) type Taken = SmallVec<[(Donation, Value); 4]>;

/// The state of reuse of one program.
#[derive(Debug)]
pub(crate) struct Reuse {
    /// The inputs that are worth it, where any of them could be taken.
    candidates: SmallVec<[usize; 4]>,
    /// Whether arguments have been given up before.
    seen: AtomicBool,
    variant: OnceLock<Result<Variant>>,
}

/// A program compiled for some of its arguments to be given up.
#[derive(Debug)]
pub(crate) struct Variant {
    pub(crate) donations: Vec<Donation>,
    pub(crate) machine: Machine,
}

impl Reuse {
    /// For arguments of at least `least` bytes.
    pub(crate) fn new(program: &Program, least: usize) -> Reuse {
        let mut candidates = SmallVec::new();
        for buffer in &program.buffers {
            if let Place::Input(k) = buffer.place
                && buffer.ty.bytes() >= least.max(1)
            {
                candidates.push(k);
            }
        }
        if donations(program, |input| candidates.contains(&input)).is_empty() {
            candidates.clear();
        }
        Reuse { candidates, seen: AtomicBool::new(false), variant: OnceLock::new() }
    }

    /// Whether any argument could be taken.
    pub(crate) fn possible(&self) -> bool {
        !self.candidates.is_empty()
    }

    /// The form of the program for these arguments, if there is one. Arguments with other handles
    /// are not given up.
    pub(crate) fn variant(
        &self,
        program: &Program,
        inputs: &mut Given,
    ) -> Result<Option<&Variant>> {
        let mut own: SmallVec<[usize; 4]> = SmallVec::new();
        for &k in &self.candidates {
            if inputs.get_mut(k).is_some_and(|value| value.bytes_mut().is_some()) {
                own.push(k);
            }
        }
        if own.is_empty() {
            return Ok(None);
        }
        // A program that is called once is not worth compiling twice.
        if self.variant.get().is_none() && !self.seen.swap(true, Ordering::Relaxed) {
            return Ok(None);
        }
        let make = || {
            let donations = donations(program, |input| own.contains(&input));
            let machine = jit::compile(&donate(program, &donations), false)?;
            Ok(Variant { donations, machine })
        };
        let variant = self.variant.get_or_init(make).as_ref().map_err(Clone::clone)?;
        let all = variant.donations.iter().all(|donation| own.contains(&donation.input));
        Ok(Some(variant).filter(|_| all && !variant.donations.is_empty()))
    }
}
