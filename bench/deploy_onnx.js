// A peer of bench/deploy.sh: ONNX Runtime on one thread, which computes when it is asked (the protocol of bench/deploy.c).
//
//     node deploy_onnx.js FOLDER FILE.onnx [KEY=VALUE] DIMENSION ...
//
// FOLDER is where npm put onnxruntime-node; KEY=VALUE configures its session; the dimensions are those of the input, batch
// first.
const path = require('path');
const readline = require('readline');

const [folder, file, ...rest] = process.argv.slice(2);
const configured = rest.filter(word => word.includes('=')), dims = rest.filter(word => !word.includes('='));
const ort = require(path.resolve(folder, 'node_modules/onnxruntime-node'));

async function main() {
    const session = await ort.InferenceSession.create(
        file, { intraOpNumThreads: 1, interOpNumThreads: 1, executionMode: 'sequential', graphOptimizationLevel: 'all',
                extra: { session: Object.fromEntries(configured.map(word => word.split('='))) } });
    const shape = dims.map(Number);
    const size = shape.reduce((a, b) => a * b), { name, type } = session.inputMetadata[0];
    const values = type === 'uint8' ? new Uint8Array(size).map(() => 256 * Math.random())
                                    : new Float32Array(size).map(() => Math.random());
    const feeds = { [name]: new ort.Tensor(type, values, shape) };
    for await (const line of readline.createInterface({ input: process.stdin })) {
        const times = [];
        for (let i = 0; i < Number(line); i++) {
            const start = process.hrtime.bigint();
            await session.run(feeds);
            times.push((Number(process.hrtime.bigint() - start) / 1e3).toFixed(2));
        }
        process.stdout.write(times.join(' ') + '\n');
    }
}

main().catch(why => {
    process.stderr.write(`deploy_onnx: ${why.message}\n`);
    process.exit(1);
});
