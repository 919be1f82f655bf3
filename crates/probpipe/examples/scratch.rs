use probpipe::prelude::*;
fn main() -> Result<()> {
    let n = Normal::new(2.0, 0.5);
    let score = grad(|x: Array| n.log_prob(&x));
    println!("{:.4}", score(array(3.0)).item::<f32>()?);
    for d in [Device::Interpreter, Device::Cpu] {
        with_device(d, || -> Result<()> {
            let mvn = MultivariateNormal::new([1.0, 2.0], [[1.0, 0.5], [0.5, 1.0]]);
            println!("{}", jit(grad(|x: Array| mvn.log_prob(&x)))(array([1.5, 2.5])));
            let joint = product((Normal::new(0.0, 1.0).named("mu"), Normal::new(1.0, 0.5).named("sigma")));
            let flat = joint.as_flat_distribution();
            println!("{}", jit(grad(|x: Array| flat.log_prob(&x)))(array([0.5, 1.2])));
            let loss = |loc: Array| Normal::new(loc, 1.0).sample(Key::new(42), [5000]).square().mean();
            let (l, g) = jit(value_and_grad(loss))(array(3.0));
            println!("{l:.3} {g:.3}");
            Ok(())
        })?;
    }
    Ok(())
}
