/** The version of package.json, of which the agent is a part. */
export const agentVersion = '0.1.0';
