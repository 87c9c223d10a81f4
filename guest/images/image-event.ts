import type { EngineEvent } from '../events/event.ts';
import type { Image } from './image.ts';

/** An image event as dockerd makes it: the image's labels, and a name when the action is about one. */
export function imageEvent(action: string, image: Image, name: string = image.id): EngineEvent {
  const labels = image.config.config?.Labels ?? {};
  return { type: 'image', action, actor: { id: image.id, attributes: { ...labels, name } } };
}
