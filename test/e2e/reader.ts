/** Reads a map over HTTP and knows nothing of who wrote it: `reader.ts <url> <map>`. */
import { Api } from "./api.ts";

const [, , url = "", map = ""] = process.argv;
const entries = await new Api(new URL(url)).entries(map);
process.stdout.write(JSON.stringify([...entries]));
