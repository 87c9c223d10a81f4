/**
 * The schemas of `container.ts`, made when a body first needs them (or {@link Engine.warmUp} asks): making them
 * takes an emulated processor longer than anything else at the agent's start.
 */
export const bodies = () => import('./container.ts');
