import { debianTools } from './debian-tools.ts';

/**
 * Where Debian's docker CLI and its plugins are, or why they cannot be had. Fetched when this is imported: a test
 * that has entered a network of its own could not any more.
 */
export const debianClients = await debianTools('clients').catch((error: Error) => error);
