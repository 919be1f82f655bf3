//! A compiled program: its machines, and which of them runs a call.

use crate::caller::{Caller, address};
use crate::jit::{self, Machine};
use crate::profile::profile;
use crate::reuse::{Reuse, Taken};
use probpipe_lowering::Program;
use probpipe_trace::{Executable, Given, Profile, Result, Value, Values};
use smallvec::SmallVec;

/// Arguments of at least so many bytes lend their memory to results.
const REUSED: usize = 64 << 10;

/// A compiled program.
#[derive(Debug)]
pub struct CpuExecutable {
    machine: Machine,
    caller: Caller,
    reuse: Reuse,
}

impl CpuExecutable {
    pub(crate) fn new(program: Program) -> Result<CpuExecutable> {
        let machine = jit::compile(&program, false)?;
        let reuse = Reuse::new(&program, REUSED);
        Ok(CpuExecutable { machine, caller: Caller::new(program), reuse })
    }

    /// With results written into the memory of arguments of at least so many bytes that are given
    /// up; otherwise 64 KiB, for smaller ones gain nothing.
    pub fn reusing_from(mut self, bytes: usize) -> CpuExecutable {
        self.reuse = Reuse::new(&self.caller.program, bytes);
        self
    }
}

impl Executable for CpuExecutable {
    fn run(&self, inputs: &[&Value]) -> Result<Values> {
        self.caller.run_on(&self.machine, inputs)
    }

    fn reuses(&self) -> bool {
        self.reuse.possible()
    }

    fn run_taking(&self, mut inputs: Given) -> Result<Values> {
        self.caller.check(inputs.iter())?;
        let Some(variant) = self.reuse.variant(&self.caller.program, &mut inputs)? else {
            return self.caller.execute(
                &self.machine,
                inputs.iter().map(address),
                &mut Taken::new(),
            );
        };
        let (mut taken, mut rest) = (Taken::new(), SmallVec::<[Value; 8]>::new());
        let mut addresses: SmallVec<[*const u8; 8]> = SmallVec::new();
        for (i, value) in inputs.into_iter().enumerate() {
            match variant.donations.iter().find(|donation| donation.input == i) {
                Some(donation) => {
                    // Becomes that of the output.
                    addresses.push(std::ptr::null());
                    taken.push((*donation, value));
                }
                None => {
                    addresses.push(address(&value)?);
                    rest.push(value);
                }
            }
        }
        // `rest` lives on: the program reads it.
        let results =
            self.caller.execute(&variant.machine, addresses.into_iter().map(Ok), &mut taken);
        drop(rest);
        results
    }

    fn profile(&self, inputs: &[&Value]) -> Result<Profile> {
        profile(&self.caller, &self.machine, inputs)
    }

    fn stages(&self) -> Vec<(&'static str, String)> {
        // Made again rather than kept: they are long and seldom asked for.
        let text = jit::compile(&self.caller.program, true).map(|machine| machine.text.clone());
        let jit::Text { clif, machine } =
            text.unwrap_or_else(|e| jit::Text { clif: e.to_string(), machine: String::new() });
        vec![("program", self.caller.program.to_string()), ("clif", clif), ("machine", machine)]
    }
}
