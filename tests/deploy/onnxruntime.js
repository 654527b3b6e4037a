// Exported models in ONNX Runtime beside the harness: onnxruntime.js PACKAGE FOLDER
//
// For each NAME.K.scores (float32, of the harness for the bytes of NAME.images) NAME.K.onnx is run at the basic level
// of optimization, and at the one that is ONNX Runtime's default, which fuses steps and moves them. Prints a line for
// each level; fails where, at the basic level, fewer than 995 of 1,000 images have the same class.
const fs = require("fs");
const [, , at, folder] = process.argv;
const ort = require(at);

const best = (scores) => scores.indexOf(Math.max(...scores));
const median = (x) => [...x].sort((a, b) => a - b)[Math.floor(x.length / 2)];

function cases() {
    return fs.readdirSync(folder).filter((f) => f.endsWith(".scores")).sort().map((f) => {
        const model = f.slice(0, -".scores".length);
        const name = model.slice(0, model.lastIndexOf("."));
        const bytes = fs.readFileSync(`${folder}/${f}`);
        return {
            model: `${folder}/${model}.onnx`,
            images: fs.readFileSync(`${folder}/${name}.images`),
            want: new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length)),
        };
    });
}

async function scoresOf(c, level) {
    const options = { graphOptimizationLevel: level, intraOpNumThreads: 1, interOpNumThreads: 1 };
    const session = await ort.InferenceSession.create(c.model, options);
    const [, ...image] = session.inputMetadata[0].shape;
    const n = c.images.length / image.reduce((a, b) => a * b);
    const { scores } = await session.run({ image: new ort.Tensor("uint8", new Uint8Array(c.images), [n, ...image]) });
    return { scores: scores.data, n };
}

function add(count, got, want, n) {
    const classes = want.length / n;
    for (let i = 0; i < n; i++) {
        const mine = got.subarray(i * classes, (i + 1) * classes);
        const theirs = want.subarray(i * classes, (i + 1) * classes);
        count.images++;
        if (best(mine) === best(theirs)) count.same++;
        else count.margins.push(theirs[best(theirs)] - theirs[best(mine)]);
    }
    const largest = Math.max(...want.map(Math.abs));
    count.differences.push(median([...got].map((x, i) => Math.abs(x - want[i]))) / largest);
}

async function main() {
    const all = cases();
    if (!all.length) throw new Error(`${folder} has no scores`);
    for (const level of ["basic", "all"]) {
        const count = { images: 0, same: 0, margins: [], differences: [] };
        for (const c of all) {
            const { scores, n } = await scoresOf(c, level);
            add(count, scores, c.want, n);
        }
        const margins = count.margins.length ? `; margins of the others: ${count.margins.map((x) => x.toPrecision(2))}` : "";
        console.log(`${level === "all" ? "default" : level} level: ${all.length} models, ${count.same} of ${count.images} ` +
            `images have the same class, scores differ by ${median(count.differences).toExponential(1)} of the largest` + margins);
        if (level === "basic" && count.same * 1000 < count.images * 995) process.exitCode = 1;
    }
}

main().catch((e) => {
    console.error(String(e));
    process.exitCode = 1;
});
