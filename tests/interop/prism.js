// Serves models of an API by Prism: all of them on one port of this machine, and beside them the
// login, by a model of ours. `node prism.js FOLDER-OF-PRISM FOLDER-OF-MODELS`; the first line that it
// writes is its URL. It ends when its stdin does.
//
// Two things in the models keep Prism from answering as they mean, so they are changed here, in
// memory alone: examples that stand without their media type are put under it, and an example whose
// transaction is an object gives way to the first answer of the sandbox.
"use strict";
const fs = require("fs");
const path = require("path");
const { createRequire } = require("module");

const [home, folder] = process.argv.slice(2);
const from = createRequire(path.join(path.resolve(home), "node_modules", "@stoplight", "prism-cli", "package.json"));
const { getHttpOperationsFromSpec } = from("@stoplight/prism-http");
const { createServer } = from("@stoplight/prism-http-server");
const { createLogger } = from("@stoplight/prism-core");

const JSON_TYPE = "application/json";

function mended(model) {
    for (const operations of Object.values(model.paths)) {
        for (const operation of Object.values(operations)) {
            for (const answer of Object.values(operation.responses || {})) {
                if (answer.examples && !answer.examples[JSON_TYPE]) {
                    answer.examples = { [JSON_TYPE]: answer.examples };
                }
            }
            if (operation.operationId === "SubmitShipmentConfirmations") {
                const taken = operation.responses["202"];
                const sandbox = taken["x-amzn-api-sandbox"].static;
                taken.examples = { [JSON_TYPE]: sandbox[0].response };
            }
        }
    }
    return model;
}

// The login (RFC 6749 §4.1.3, §4.4.2 and §6), so that the whole of a client is asked.
const field = (name, more) => ({ name, in: "formData", type: "string", minLength: 1, ...more });
const login = {
    swagger: "2.0",
    info: { title: "login", version: "1" },
    paths: {
        "/auth/o2/token": {
            post: {
                operationId: "login",
                consumes: ["application/x-www-form-urlencoded"],
                produces: [JSON_TYPE],
                parameters: [
                    field("grant_type", { required: true, enum: ["refresh_token", "client_credentials"] }),
                    field("client_id", { required: true }),
                    field("client_secret", { required: true }),
                    field("refresh_token"),
                    field("scope"),
                ],
                responses: {
                    200: {
                        description: "a token",
                        examples: { [JSON_TYPE]: { access_token: "prism", expires_in: 3600 } },
                    },
                },
            },
        },
    },
};

async function main() {
    const models = [login];
    for (const name of fs.readdirSync(folder).sort()) {
        if (name.endsWith(".json")) {
            models.push(mended(JSON.parse(fs.readFileSync(path.join(folder, name), "utf8"))));
        }
    }
    const operations = (await Promise.all(models.map(getHttpOperationsFromSpec))).flat();
    const config = {
        validateRequest: true,
        validateResponse: true,
        checkSecurity: true,
        errors: false,
        isProxy: false,
        mock: { dynamic: false },
    };
    const logger = createLogger("prism", { level: "silent" });
    const server = createServer(operations, { cors: false, config, components: { logger } });
    console.log(await server.listen(0, "127.0.0.1"));
}

process.stdin.resume().on("end", () => process.exit(0));
main().catch((why) => {
    console.error(why);
    process.exit(1);
});
