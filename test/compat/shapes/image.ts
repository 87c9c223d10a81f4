import { mapOf, orNull, type Shape } from '../shape.ts';
import { labels, words } from './common.ts';

/** Shapes of API 1.50, with the names of the definition: images. */

export const imageSummaryShape = {
  Id: 'digest',
  ParentId: 'string',
  RepoTags: ['string'],
  RepoDigests: ['string'],
  Created: 'integer',
  Size: 'integer',
  SharedSize: 'integer',
  Labels: labels,
  Containers: 'integer',
} satisfies Shape;

export const imageInspectShape = {
  Id: 'digest',
  RepoTags: ['string'],
  RepoDigests: ['string'],
  Parent: 'string',
  Comment: 'string',
  Created: 'time',
  Author: 'string',
  Config: {
    'User?': 'string',
    'ExposedPorts?': orNull(mapOf('empty')),
    'Env?': words,
    'Cmd?': words,
    'Volumes?': orNull(mapOf('empty')),
    'WorkingDir?': 'string',
    'Entrypoint?': words,
    'OnBuild?': words,
    'Labels?': labels,
  },
  Architecture: 'string',
  Os: 'string',
  Size: 'integer',
  GraphDriver: { Name: 'string', Data: orNull(mapOf('string')) },
  RootFS: { Type: 'string', Layers: ['digest'] },
  Metadata: { LastTagTime: 'time' },
} satisfies Shape;

export const historyShape = [
  {
    Id: 'string',
    Created: 'integer',
    CreatedBy: 'string',
    Tags: words,
    Size: 'integer',
    Comment: 'string',
  },
] as const satisfies Shape;
