// How long ONNX Runtime takes for one image: onnx.js PACKAGE FOLDER, of each FOLDER/model.K.onnx, by its default level of
// optimization, and the same with weights dequantized once (the option disable_quant_qdq).
const fs = require("fs");
const [, , at, folder] = process.argv;
const ort = require(at);
const CALLS = 200;

async function contender(file, folded) {
    const session = await ort.InferenceSession.create(`${folder}/${file}`, {
        intraOpNumThreads: 1, interOpNumThreads: 1, extra: { session: { disable_quant_qdq: folded } },
    });
    return { name: `${file.split(".")[1]} bits${folded === "1" ? ", dequantized once" : ""}`, session, least: Infinity };
}

async function call(c, image) {
    const start = process.hrtime.bigint();
    await c.session.run({ image });
    c.least = Math.min(c.least, Number(process.hrtime.bigint() - start) / 1000);
}

async function main() {
    const pixels = fs.readFileSync(`${folder}/model.images`).subarray(0, 784);
    const image = new ort.Tensor("uint8", new Uint8Array(pixels), [1, 1, 28, 28]);
    const all = [];
    for (const file of fs.readdirSync(folder).filter((f) => f.endsWith(".onnx")).sort())
        for (const folded of ["0", "1"]) all.push(await contender(file, folded));
    for (let i = 0; i < CALLS; i++) for (const c of all) await call(c, image);
    for (const c of all) console.log(`ONNX Runtime, ${c.name}: ${c.least.toFixed(0)} us an image`);
}

main().catch((e) => {
    console.error(String(e));
    process.exitCode = 1;
});
