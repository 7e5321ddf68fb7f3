// A foreign client against the sandbox: signs in, joins, and tells on stdout what it was told.
// Arguments: the library's entry, port, login, token, channels with commas between.
const [entry, port, login, token, channels] = process.argv.slice(2);
const { ChatClient } = await import(entry);

const tell = (what, detail) => console.log(JSON.stringify({ what, detail }));

const client = new ChatClient({
  username: login,
  password: `oauth:${token}`,
  connection: { type: "tcp", secure: false, host: "127.0.0.1", port: Number(port) },
  requestMembershipCapability: false,
  connectionRateLimits: { parallelConnections: 5, releaseTime: 1 },
});
client.on("ready", () => tell("ready"));
client.on("error", (error) => tell("error", String(error)));
client.on("reconnect", () => tell("reconnect"));
client.on("JOIN", (message) => tell("join", message.channelName));
client.on("ROOMSTATE", (message) => tell("roomstate", message.channelID));
client.on("USERSTATE", (message) => tell("userstate", message.channelName));
client.on("GLOBALUSERSTATE", (message) => tell("globaluserstate", message.userID));
client.on("NOTICE", (message) => tell("notice", message.messageID));
client.on("PRIVMSG", (message) => tell("chat", message.messageText));
client.on("CLEARCHAT", (message) => tell("clearchat", message.targetUsername));

await client.connect();
await client.joinAll(channels.split(","));
await client.ping();
tell("settled");
process.stdin.on("end", () => process.exit(0)).resume();
