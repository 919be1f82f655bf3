//! Programs on the device where they will run faster: a backend that hands each program to one of
//! two others. What a program takes is guessed in `placement.rs`.

use super::placement::{Costs, Machine};
use probpipe_backend_cpu::Cpu;
use probpipe_trace::{
    Backend, Caps, DType, Eqn, Executable, Given, Graph, LaneForm, Op, Placement, Profile, Result,
    Value, Values, VarId, Verified, verify,
};
use probpipe_transforms::rewrite::finish_for;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

/// The backend of [`Device::Auto`](super::Device::Auto).
#[derive(Debug)]
pub struct Auto {
    /// The GPU, or why there is none to choose.
    gpu: std::result::Result<Arc<dyn Backend>, String>,
    machine: OnceLock<Option<Machine>>,
}

impl Auto {
    /// The processor and a GPU, of which it is measured when it is first asked for what programs
    /// take there; or the processor alone, and why.
    pub fn new(gpu: std::result::Result<Arc<dyn Backend>, String>) -> Auto {
        Auto { gpu, machine: OnceLock::new() }
    }

    /// The processor and a GPU with known costs.
    pub fn with_costs(gpu: Arc<dyn Backend>, machine: Machine) -> Auto {
        Auto { gpu: Ok(gpu), machine: OnceLock::from(Some(machine)) }
    }

    /// Where a program is put, with what the GPU compiled it to, if it was put there; `here` is its
    /// form for the processor.
    fn place(
        &self,
        graph: Verified<'_>,
        here: Verified<'_>,
    ) -> Result<(Placement, Option<Box<dyn Executable>>)> {
        let on_cpu = |reason: String| Placement {
            device: "cpu",
            cpu: None,
            gpu: None,
            reason: Some(reason),
        };
        let gpu = match &self.gpu {
            Ok(gpu) => gpu,
            Err(why) => return Ok((on_cpu(why.clone()), None)),
        };
        let caps = gpu.caps();
        if let Err(error) = caps.check(&graph) {
            return Ok((on_cpu(error.message().to_string()), None));
        }
        // What is measured are operations in `f32`. Of those in `f64` some devices do 64 in the
        // time that others take for two, and a processor as a rule half as many.
        if computes_in_double(&graph) {
            return Ok((on_cpu("what `f64` takes on the GPU is not known".into()), None));
        }
        let Some(machine) = self.costs(&**gpu) else {
            return Ok((on_cpu("the GPU could not be measured".into()), None));
        };
        let own = form(graph, &caps);
        let cpu = machine.cpu.estimate(&Cpu.work(here, Cpu.caps().lanes)?);
        let there = machine.gpu.estimate(&Cpu.work(verify(&own)?, caps.lanes)?);
        let estimated =
            |device, reason| Placement { device, cpu: Some(cpu), gpu: Some(there), reason };
        if cpu <= there {
            return Ok((estimated("cpu", None), None));
        }
        match gpu.compile(verify(&own)?) {
            Ok(program) => Ok((estimated("gpu", None), Some(program))),
            Err(error) => Ok((estimated("cpu", Some(error.message().to_string())), None)),
        }
    }

    /// The same for as long as it lives, so that a program is always put to the same place.
    fn costs(&self, gpu: &dyn Backend) -> Option<&Machine> {
        let measure = || {
            let (cpu, gpu) = (Costs::measured(&Cpu).ok()?, Costs::measured(gpu).ok()?);
            Some(Machine { cpu, gpu })
        };
        self.machine.get_or_init(measure).as_ref()
    }
}

/// Whether any array of a graph is of double precision.
fn computes_in_double(graph: &Graph) -> bool {
    let is_double = |v: &VarId| graph.ty(*v).dtype == DType::F64;
    let of = |eqn: &Eqn| {
        eqn.outputs.iter().any(is_double)
            || eqn.op.graphs().into_iter().any(|graph| computes_in_double(graph))
    };
    graph.inputs().iter().any(is_double) || graph.eqns().iter().any(of)
}

/// What a backend gets of a graph, which is the graph itself where there are no lanes.
fn form<'a>(graph: Verified<'a>, caps: &Caps) -> Cow<'a, Graph> {
    match graph.has(|op| matches!(op, Op::Call { lane: Some(_), .. })) {
        true => Cow::Owned(finish_for(&graph, caps)),
        false => Cow::Borrowed(graph.graph()),
    }
}

impl Backend for Auto {
    fn name(&self) -> &'static str {
        "auto"
    }

    fn caps(&self) -> Caps {
        // Each of the two has a form of its own for them.
        Caps { lanes: LaneForm::AsWritten, ..Caps::everything(self.name()) }
    }

    fn compile(&self, graph: Verified<'_>) -> Result<Box<dyn Executable>> {
        let own = form(graph, &Cpu.caps());
        let here = verify(&own)?;
        let (placement, program) = self.place(graph, here)?;
        let program = match program {
            Some(program) => program,
            None => Cpu.compile(here)?,
        };
        Ok(Box::new(Placed { program, placement }))
    }
}

/// A program where it was put.
#[derive(Debug)]
struct Placed {
    program: Box<dyn Executable>,
    placement: Placement,
}

impl Executable for Placed {
    fn run(&self, inputs: &[&Value]) -> Result<Values> {
        self.program.run(inputs)
    }

    fn reuses(&self) -> bool {
        self.program.reuses()
    }

    fn run_taking(&self, inputs: Given) -> Result<Values> {
        self.program.run_taking(inputs)
    }

    fn profile(&self, inputs: &[&Value]) -> Result<Profile> {
        let mut profile = self.program.profile(inputs)?;
        profile.placement = Some(self.placement.clone());
        Ok(profile)
    }

    fn stages(&self) -> Vec<(&'static str, String)> {
        let mut stages = vec![("placement", self.placement.to_string())];
        stages.extend(self.program.stages());
        stages
    }
}
